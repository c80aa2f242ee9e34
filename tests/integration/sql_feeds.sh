#!/bin/bash
# sql_feeds.sh - who is responsible for what, and which feed carries which device.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin
database_migrate

# a: device D1, and team T.  b: team T.  c: disabled, team T and device D1.  d: nothing.
# Team T: group G (D1, D2) and device D3.  D4 belongs to nobody.
psql -Xq -v ON_ERROR_STOP=1 -o /dev/null << 'END' || exit 1
INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('t', '10 s');
INSERT INTO bmd_device (serial, type_name) SELECT 'D' || i, 't' FROM generate_series(1, 4) i;
INSERT INTO bmd_group (group_name) VALUES ('G'), ('H');
INSERT INTO bmd_group_device VALUES ('G', 'D1'), ('G', 'D2'), ('H', 'D4');
INSERT INTO bmd_technician (username, enabled) VALUES ('a', true), ('b', true), ('c', false), ('d', true);
INSERT INTO bmd_team VALUES ('T');
INSERT INTO bmd_team_member VALUES ('T', 'a'), ('T', 'b'), ('T', 'c');
INSERT INTO bmd_assignment (username, team_name, serial, group_name) VALUES
    ('a', NULL, 'D1', NULL), ('c', NULL, 'D1', NULL), (NULL, 'T', NULL, 'G'), (NULL, 'T', 'D3', NULL);
END

feed() { echo "SELECT string_agg(serial, ' ' ORDER BY serial) FROM bmd_feed_member WHERE feed = '$1'"; }
watch() { echo "SELECT string_agg(feed, ' ' ORDER BY feed) FROM bmd_feed_watcher WHERE username = '$1'"; }
check "a personal feed carries own devices and the team's, each once" "D1 D2 D3" "$(feed a)"
check "a personal feed carries the team's group and device" "D1 D2 D3" "$(feed b)"
check "a disabled technician is responsible for nothing" "" "$(feed c)"
check "a technician without assignment has an empty feed" "" "$(feed d)"
check "a device feed carries the device" "D4" "$(feed dev.D4)"
check "a group feed carries the devices of the group" "D1 D2" "$(feed grp.G)"
check "a member of a team may watch the personal feed, its devices and the team's group" "a dev.D1 dev.D2 dev.D3 grp.G" "$(watch a)"
check "a technician without assignment may watch the own feed only" "d" "$(watch d)"
check "a disabled technician may watch nothing" "" "$(watch c)"
check "nobody may watch a device or group that is assigned to nobody" "0" "SELECT count(*) FROM bmd_feed_watcher WHERE feed IN ('dev.D4', 'grp.H')"
check "no pair appears twice" "0" "SELECT count(*) FROM (SELECT feed, serial FROM bmd_feed_member GROUP BY 1, 2 HAVING count(*) > 1
	UNION ALL SELECT feed, username FROM bmd_feed_watcher GROUP BY 1, 2 HAVING count(*) > 1) t"
accepted "a technician leaves the team" "DELETE FROM bmd_team_member WHERE username = 'b'"
check "and is no longer responsible" "" "$(feed b)"
accepted "a device is renamed" "UPDATE bmd_device SET serial = 'D9' WHERE serial = 'D1'"
check "and stays where it was" "D2 D3 D9" "$(feed a)"
accepted "a team is deleted" "DELETE FROM bmd_team"
check "and its assignments with it" "D9" "$(feed a)"

# 200,000 devices, 1,000 groups, 2,000 technicians in 500 teams of 4, two teams a group.
psql -Xq -v ON_ERROR_STOP=1 -o /dev/null << 'END' || exit 1
INSERT INTO bmd_device (serial, type_name) SELECT 'M' || i, 't' FROM generate_series(1, 200000) i;
INSERT INTO bmd_group (group_name) SELECT 'M' || i FROM generate_series(0, 999) i;
INSERT INTO bmd_group_device SELECT 'M' || i % 1000, 'M' || i FROM generate_series(1, 200000) i;
INSERT INTO bmd_technician (username) SELECT 'm' || i FROM generate_series(0, 1999) i;
INSERT INTO bmd_team SELECT 'M' || i FROM generate_series(0, 499) i;
INSERT INTO bmd_team_member SELECT 'M' || i % 500, 'm' || i FROM generate_series(0, 1999) i;
INSERT INTO bmd_assignment (team_name, group_name) SELECT 'M' || i % 500, 'M' || i / 2 FROM generate_series(0, 1999) i;
ANALYZE bmd_device, bmd_group_device, bmd_assignment, bmd_team_member, bmd_technician;
END
milliseconds() {
	local start
	start=$(date +%s%N)
	sql "$1" > "$scratch/result" || { cat "$scratch/result"; return; }
	echo $((($(date +%s%N) - start) / 1000000))
}
quick() {
	local ms
	ms=$(milliseconds "$3")
	printf '# %s: %s ms\n' "$1" "$ms"
	if [ "$ms" -le "$2" ]; then ok "$1 in $2 ms"; else not_ok "$1 in $2 ms" "$ms"; fi
}
quick "the feeds of one device among 200,000" 1000 "SELECT feed FROM bmd_feed_member WHERE serial = 'M4711'"
check "which are eight technicians, the device and the group" "10" "SELECT count(*) FROM bmd_feed_member WHERE serial = 'M4711'"
quick "the devices of one technician among 200,000" 1500 "SELECT count(*) FROM bmd_responsible WHERE username = 'm7'"
quick "all 2,000,000 memberships" 20000 "SELECT count(*) FROM (SELECT feed, serial FROM bmd_feed_member OFFSET 0) m"
finish
