# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the numbers of SMBIOS structures mean, in the words of dmidecode (DMTF DSP0134, section 7)."""

from __future__ import annotations

BIOS, SYSTEM, BASEBOARD, CHASSIS, PROCESSOR, PORT, SLOT = 0, 1, 2, 3, 4, 8, 9
MEMORY_ARRAY, MEMORY, BATTERY, END_OF_TABLE = 16, 17, 22, 127


def _numbered(text: str, first: int = 1) -> dict[int, str]:
    return {number: word.strip() for number, word in enumerate(text.split("|"), first)}


BOARD_TYPES = _numbered(
    "Unknown|Other|Server Blade|Connectivity Switch|System Management Module|Processor Module|I/O Module|Memory Module|Daughter Board"
    "|Motherboard|Processor+Memory Module|Processor+I/O Module|Interconnect Board"
)

CHASSIS_TYPES = _numbered(
    "Other|Unknown|Desktop|Low Profile Desktop|Pizza Box|Mini Tower|Tower|Portable|Laptop|Notebook|Hand Held|Docking Station|All In One"
    "|Sub Notebook|Space-saving|Lunch Box|Main Server Chassis|Expansion Chassis|Sub Chassis|Bus Expansion Chassis|Peripheral Chassis"
    "|RAID Chassis|Rack Mount Chassis|Sealed-case PC|Multi-system|CompactPCI|AdvancedTCA|Blade|Blade Enclosing|Tablet|Convertible"
    "|Detachable|IoT Gateway|Embedded PC|Mini PC|Stick PC"
)

PROCESSOR_STATUS = {0: "Unknown", 1: "Enabled", 2: "Disabled By User", 3: "Disabled By BIOS", 4: "Idle", 7: "Other"}

CONNECTORS = {
    **_numbered(
        "None|Centronics|Mini Centronics|Proprietary|DB-25 male|DB-25 female|DB-15 male|DB-15 female|DB-9 male|DB-9 female|RJ-11|RJ-45"
        "|50 Pin MiniSCSI|Mini DIN|Micro DIN|PS/2|Infrared|HP-HIL|Access Bus (USB)|SSA SCSI|Circular DIN-8 male|Circular DIN-8 female"
        "|On Board IDE|On Board Floppy|9 Pin Dual Inline (pin 10 cut)|25 Pin Dual Inline (pin 26 cut)|50 Pin Dual Inline"
        "|68 Pin Dual Inline|On Board Sound Input From CD-ROM|Mini Centronics Type-14|Mini Centronics Type-26|Mini Jack (headphones)"
        "|BNC|IEEE 1394|SAS/SATA Plug Receptacle|USB Type-C Receptacle",
        0,
    ),
    **_numbered("PC-98|PC-98 Hireso|PC-H98|PC-98 Note|PC-98 Full", 0xA0),
    0xFF: "Other",
}

PORT_TYPES = {
    **_numbered(
        "None|Parallel Port XT/AT Compatible|Parallel Port PS/2|Parallel Port ECP|Parallel Port EPP|Parallel Port ECP/EPP"
        "|Serial Port XT/AT Compatible|Serial Port 16450 Compatible|Serial Port 16550 Compatible|Serial Port 16550A Compatible|SCSI Port"
        "|MIDI Port|Joystick Port|Keyboard Port|Mouse Port|SSA SCSI|USB|Firewire (IEEE P1394)|PCMCIA Type I|PCMCIA Type II"
        "|PCMCIA Type III|Cardbus|Access Bus Port|SCSI II|SCSI Wide|PC-98|PC-98 Hireso|PC-H98|Video Port|Audio Port|Modem Port"
        "|Network Port|SATA|SAS|MFDP (Multi-Function Display Port)|Thunderbolt",
        0,
    ),
    **_numbered("8251 Compatible|8251 FIFO Compatible", 0xA0),
    0xFF: "Other",
}

SLOT_TYPES = {
    **_numbered(
        "Other|Unknown|ISA|MCA|EISA|PCI|PC Card (PCMCIA)|VLB|Proprietary|Processor Card|Proprietary Memory Card|I/O Riser Card|NuBus"
        "|PCI-66|AGP|AGP 2x|AGP 4x|PCI-X|AGP 8x|M.2 Socket 1-DP|M.2 Socket 1-SD|M.2 Socket 2|M.2 Socket 3|MXM Type I|MXM Type II"
        "|MXM Type III|MXM Type III-HE|MXM Type IV|MXM 3.0 Type A|MXM 3.0 Type B|PCI Express 2 SFF-8639 (U.2)"
        "|PCI Express 3 SFF-8639 (U.2)|PCI Express Mini 52-pin with bottom-side keep-outs"
        "|PCI Express Mini 52-pin without bottom-side keep-outs|PCI Express Mini 76-pin|PCI Express 4 SFF-8639 (U.2)"
        "|PCI Express 5 SFF-8639 (U.2)|OCP NIC 3.0 Small Form Factor (SFF)|OCP NIC 3.0 Large Form Factor (LFF)|OCP NIC Prior to 3.0"
    ),
    0x30: "CXL FLexbus 1.0",
    **_numbered("PC-98/C20|PC-98/C24|PC-98/E|PC-98/Local Bus|PC-98/Card", 0xA0),
    **_numbered("PCI Express|PCI Express x1|PCI Express x2|PCI Express x4|PCI Express x8|PCI Express x16", 0xA5),
    **_numbered("PCI Express 2|PCI Express 2 x1|PCI Express 2 x2|PCI Express 2 x4|PCI Express 2 x8|PCI Express 2 x16", 0xAB),
    **_numbered("PCI Express 3|PCI Express 3 x1|PCI Express 3 x2|PCI Express 3 x4|PCI Express 3 x8|PCI Express 3 x16", 0xB1),
    **_numbered("PCI Express 4|PCI Express 4 x1|PCI Express 4 x2|PCI Express 4 x4|PCI Express 4 x8|PCI Express 4 x16", 0xB8),
    **_numbered("PCI Express 5|PCI Express 5 x1|PCI Express 5 x2|PCI Express 5 x4|PCI Express 5 x8|PCI Express 5 x16", 0xBE),
    **_numbered("PCI Express 6+|EDSFF E1|EDSFF E3", 0xC4),
}

SLOT_WIDTHS = _numbered("Other|Unknown|8-bit|16-bit|32-bit|64-bit|128-bit|x1|x2|x4|x8|x12|x16|x32")
SLOT_USAGE = _numbered("Other|Unknown|Available|In Use|Unavailable")

ARRAY_USES = _numbered("Other|Unknown|System Memory|Video Memory|Flash Memory|Non-volatile RAM|Cache Memory")
ARRAY_CORRECTION = _numbered("Other|Unknown|None|Parity|Single-bit ECC|Multi-bit ECC|CRC")

FORM_FACTORS = _numbered("Other|Unknown|SIMM|SIP|Chip|DIP|ZIP|Proprietary Card|DIMM|TSOP|Row Of Chips|RIMM|SODIMM|SRIMM|FB-DIMM|Die|CAMM")

MEMORY_TYPES = _numbered(
    "Other|Unknown|DRAM|EDRAM|VRAM|SRAM|RAM|ROM|Flash|EEPROM|FEPROM|EPROM|CDRAM|3DRAM|SDRAM|SGRAM|RDRAM|DDR|DDR2|DDR2 FB-DIMM|Reserved"
    "|Reserved|Reserved|DDR3|FBD2|DDR4|LPDDR|LPDDR2|LPDDR3|LPDDR4|Logical non-volatile device|HBM|HBM2|DDR5|LPDDR5|HBM3"
)

CHEMISTRIES = _numbered("Other|Unknown|Lead Acid|Nickel Cadmium|Nickel Metal Hydride|Lithium Ion|Zinc Air|Lithium Polymer")
