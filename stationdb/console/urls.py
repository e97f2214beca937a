# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of pages."""

from __future__ import annotations

from django.urls import path

from .views import account, content, dashboard, edit, groups, imports, session, sites, software, station, stations, users

app_name = "console"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("sign-in/", session.SignIn.as_view(), name="login"),
    path("sign-out/", session.SignOut.as_view(), name="logout"),
    path("password/", session.password, name="password"),
    path("language/", session.language, name="language"),
    path("theme/", session.theme, name="theme"),
    path("stations/", stations.stations, name="stations"),
    path("stations/export.csv", stations.stations_csv, name="stations_csv"),
    path("stations/export.pdf", stations.stations_pdf, name="stations_pdf"),
    path("stations/complete/", stations.complete, name="complete"),
    path("stations/filters/", stations.save_filter, name="save_filter"),
    path("stations/filters/<int:pk>/remove/", stations.delete_filter, name="delete_filter"),
    path("stations/add/", edit.station_add, name="station_add"),
    path("stations/import/", imports.imports, name="import"),
    path("stations/<int:pk>/", station.station, name="station"),
    path("stations/<int:pk>/hardware/", station.hardware, name="station_hardware"),
    path("stations/<int:pk>/software/", station.software, name="station_software"),
    path("stations/<int:pk>/software.csv", station.software_csv, name="station_software_csv"),
    path("stations/<int:pk>/history/", station.history, name="station_history"),
    path("stations/<int:pk>/sheet.pdf", station.station_pdf, name="station_pdf"),
    path("stations/<int:pk>/edit/", edit.station_edit, name="station_edit"),
    path("stations/<int:pk>/remove/", edit.station_remove, name="station_remove"),
    path("stations/<int:pk>/groups/", groups.station_groups, name="station_groups"),
    path("stations/<int:pk>/values/", edit.value_save, name="value_save"),
    path("stations/<int:pk>/values/<int:value>/", station.secret, name="secret"),
    path("stations/<int:pk>/values/<int:value>/remove/", edit.value_remove, name="value_remove"),
    path("sites/", sites.sites, name="sites"),
    path("sites/export.csv", sites.sites_csv, name="sites_csv"),
    path("sites/add/", edit.site_add, name="site_add"),
    path("sites/<int:pk>/", sites.site, name="site"),
    path("sites/<int:pk>/edit/", edit.site_edit, name="site_edit"),
    path("sites/<int:pk>/remove/", edit.site_remove, name="site_remove"),
    path("groups/", groups.groups, name="groups"),
    path("groups/export.csv", groups.groups_csv, name="groups_csv"),
    path("groups/add/", edit.group_add, name="group_add"),
    path("groups/<int:pk>/", groups.group, name="group"),
    path("groups/<int:pk>/members.csv", groups.group_csv, name="group_csv"),
    path("groups/<int:pk>/edit/", edit.group_edit, name="group_edit"),
    path("groups/<int:pk>/remove/", edit.group_remove, name="group_remove"),
    path("groups/<int:pk>/members/", groups.group_add, name="member_add"),
    path("groups/<int:pk>/members/<int:station>/remove/", groups.group_remove, name="member_remove"),
    path("software/", software.softwares, name="softwares"),
    path("software/export.csv", software.softwares_csv, name="softwares_csv"),
    path("software/<int:pk>/", software.software, name="software"),
    path("software/<int:pk>/stations.csv", software.software_csv, name="software_csv"),
    path("images/", content.images, name="images"),
    path("images/export.csv", content.images_csv, name="images_csv"),
    path("packages/", content.packages, name="packages"),
    path("packages/export.csv", content.packages_csv, name="packages_csv"),
    path("account/", account.account, name="account"),
    path("account/tokens/", account.token_issue, name="token_issue"),
    path("account/tokens/<int:pk>/revoke/", account.token_revoke, name="token_revoke"),
    path("users/", users.users, name="users"),
    path("users/export.csv", users.users_csv, name="users_csv"),
    path("users/add/", users.user_add, name="user_add"),
    path("users/<int:pk>/", users.user, name="user"),
    path("users/<int:pk>/password/", users.user_password, name="user_password"),
    path("users/<int:pk>/roles/", users.assign, name="assign"),
    path("users/<int:pk>/roles/<int:assignment>/remove/", users.unassign, name="unassign"),
    path("users/<int:pk>/tokens/<int:token>/revoke/", users.revoke, name="revoke"),
    path("roles/add/", users.role_add, name="role_add"),
    path("roles/<int:pk>/", users.role, name="role"),
    path("roles/<int:pk>/remove/", users.role_remove, name="role_remove"),
]
