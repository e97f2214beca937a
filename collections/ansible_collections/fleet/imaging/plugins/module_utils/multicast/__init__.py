# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image to many stations at once: each chunk that somebody lacks is sent once, and nobody waits for the slowest.

interface     what a session is given and what it answers; begin here
session       both ends                                          channel     the control channel: proofs and signed messages
wire          packets and messages, byte by byte                 sockets     UDP and TCP, IPv4 and IPv6
              (docs/multicast.md)                                mmsg        many packets in one system call

sender        the sender's thread, and what it looks at            receiver    finds its sender, and finds it again
opening       when it begins: who came, who hears                reception   one connection: packets in, reports out
dialogue      what members say, and what they are told           counting    which packets came
transmission  what is sent next: repairs, new segments           window      the last segments, and which frames are whole
roster        who is there, and the verdicts                     wants       what is still wanted
member        a receiver as its sender sees it                   taker       opens, checks and hands over chunks
stream        the order of chunks, a reader, a ring
repair        what to send again, and what together
outlet        packets out, in batches
allowance     how much a member may say
pace, judge   how fast, and who is waited for                    urgency     a session goes before other work of its host

A sender's thread goes round: transmission sends what is due, of stream and repair, through outlet; dialogue listens to members, whom
roster knows; judge looks at them now and then. Everything else is told what it needs when it is called.
"""
