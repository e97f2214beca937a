# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image to many stations at once: each chunk that somebody lacks is sent once, and nobody waits for the slowest.

interface   what a session is given and what it answers; begin here       session     both ends
wire        packets and messages, byte by byte (docs/multicast.md)        channel     the control channel: proofs and signed messages
sockets     UDP and TCP, IPv4 and IPv6                                    mmsg        many packets in one system call

sender      one thread that sends what is due                receiver    finds its sender, and finds it again
roster      who is there, and the verdicts                   reception   one connection: packets in, reports out
member      a receiver as its sender sees it                 window      the last segments, and which frames are whole
stream      the order of chunks, a reader, a ring            wants       what is still wanted
outlet      packets out, in batches                          taker       opens, checks and hands over chunks
repair      what to send again, and what together
pace, judge how fast, and who is waited for                  urgency     a session goes before other work of its host
"""
