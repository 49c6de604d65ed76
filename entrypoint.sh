#!/bin/sh
# Starts handoff in the container without root's rights.
#
# Platforms like Fly.io mount a new volume as root's, so that a container that never was root could
# not write to it. Root's one act here is to give the folder away.
set -eu

if [ "$(id -u)" -eq 0 ]; then
    chown handoff:handoff "${HANDOFF_DATA_DIR:-/data}"
    exec setpriv --reuid=handoff --regid=handoff --init-groups --no-new-privs handoff "$@"
fi
exec handoff "$@"
