#!/bin/sh
# Stops the node when the package goes, not when it is upgraded. Its data stays.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now fairfactor.service || true
	fi
	;;
esac
