#!/bin/sh
# The user that the node runs as.
set -e
getent group fairfactor >/dev/null || groupadd --system fairfactor
getent passwd fairfactor >/dev/null || useradd --system --gid fairfactor --home-dir /var/lib/fairfactor --no-create-home --shell /usr/sbin/nologin fairfactor
