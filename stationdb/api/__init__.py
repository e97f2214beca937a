# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs see: /api/v1, described by its own OpenAPI document.

``site`` is the API and its list of routers, one file per resource. A router takes a request whose perimeter is known (``auth``), begins
with ``Model.objects.within(request.perimeter)``, and answers with one of the shapes of ``shapes``; what goes wrong becomes a ``Problem``
(``problems``), what can be read has an ETag (``etags``), what is long comes in pages (``paging``). Changes of stations, one or ten
thousand, are made by ``registry.upsert``; nothing here writes a station itself.
"""
