# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content store: everything big is a chunk, listed by signed manifests.

chunk       what a chunk is and how it is named
manifest    what an image or a package consists of; parsed without trust
signature   who vouches for a manifest           signed     a manifest that was believed
store       chunks and manifests in a folder
connection  HTTP to a store                  fetch      verified chunks from the nearest source
sink        where a capture puts chunks: a folder's store, or
upload      a station's side of quarantine   job, publish  the store's side of it
quarantine  reads what a station uploaded    vouch      signs before the chunks are there
task        publishing as an Ansible task        info       what a store holds
index       the list of manifests, a static file  parallel   a few threads in bounded memory
replicate   fills a relay                    prune, verify  keep a store small and sound
pending     what is on its way into a store

Data flows one way: capture → upload → publish → replicate → fetch → restore. Only a signature is trusted; all else can but fail a hash.
"""
