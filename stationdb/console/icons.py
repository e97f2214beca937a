# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Icons: lines on a grid of 24, drawn for Fleet."""
# ruff: noqa: E501  # paths are not prose

ICONS = {
    "dashboard": '<path d="M4 13h6V4H4zM14 20h6V11h-6zM4 20h6v-4H4zM14 8h6V4h-6z"/>',
    "station": '<rect x="3" y="4" width="18" height="12" rx="1.5"/><path d="M9 20h6M12 16v4"/>',
    "site": '<path d="M4 20V7l6-3v16M10 20V9h10v11M3 20h18M14 13h2M14 16.5h2M6.8 9v0M6.8 12.5v0M6.8 16v0"/>',
    "group": '<circle cx="9" cy="9" r="5.2"/><circle cx="15" cy="15" r="5.2"/>',
    "software": '<path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9"/>',
    "image": '<ellipse cx="12" cy="6" rx="8" ry="2.8"/><path d="M4 6v6c0 1.6 3.6 2.8 8 2.8s8-1.2 8-2.8V6M4 12v6c0 1.6 3.6 2.8 8 2.8s8-1.2 8-2.8v-6"/>',
    "package": '<path d="M4 8h16v12H4zM4 8l2-4h12l2 4M10 12h4"/>',
    "import": '<path d="M12 4v11M7.5 10.5L12 15l4.5-4.5M4 17v3h16v-3"/>',
    "export": '<path d="M12 15V4M7.5 8.5L12 4l4.5 4.5M4 17v3h16v-3"/>',
    "user": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"/>',
    "users": '<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19c.7-3.4 3.2-5 6.5-5s5.8 1.6 6.5 5M15.5 5.4a3.5 3.5 0 010 6.2M17.5 14.4c2.3.6 3.6 2.2 4 4.6"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5.5 5.5"/>',
    "sun": '<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2.5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3L7 7M17 17l1.7 1.7M5.3 18.7L7 17M17 7l1.7-1.7"/>',
    "moon": '<path d="M20 14.5A8.5 8.5 0 119.5 4 6.8 6.8 0 0020 14.5z"/>',
    "auto": '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5v17a8.5 8.5 0 000-17z" fill="currentColor"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "key": '<circle cx="8" cy="15" r="4"/><path d="M11 12l8.5-8.5M16 7l3 3"/>',
    "edit": '<path d="M4 20l1-4.5L16.5 4 20 7.5 8.5 19z"/>',
    "add": '<path d="M12 5v14M5 12h14"/>',
    "remove": '<path d="M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "warning": '<path d="M12 4L2.5 20h19zM12 10v5M12 17.5v.3"/>',
    "disk": '<rect x="3" y="6" width="18" height="12" rx="1.5"/><path d="M3 14h18M17 16.2v0"/>',
    "history": '<path d="M4 12a8 8 0 108-8 8 8 0 00-6.5 3.3M4 4v4h4M12 8v4.5l3 2"/>',
    "document": '<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>',
    "eye": '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="3"/>',
    "star": '<path d="M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9L12 16.9l-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z"/>',
    "next": '<path d="M9 5l7 7-7 7"/>',
    "previous": '<path d="M15 5l-7 7 7 7"/>',
    "leave": '<path d="M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9"/>',
    "network": '<path d="M12 9V5M12 5a2 2 0 100-.1M5 19a2 2 0 100-.1M19 19a2 2 0 100-.1M5 17v-5h14v5M12 12V9"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
}
"""The inside of each icon's svg element."""
