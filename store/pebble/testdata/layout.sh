#!/usr/bin/env bash
# Makes the directory of a layout: layout.sh PROGRAM testdata/layoutN runs a node of that
# layout, submits some jobs, kills it, and keeps its data directory and, in layoutN.json,
# what it said of its jobs. A change of the layout needs one, made with the program before
# it lands; see layouts_test.go.
set -euo pipefail
program=$1 out=$2
work=$(mktemp -d)
node=
trap 'kill -9 $node || true; rm -rf "$work"' EXIT
port=28711
url=http://127.0.0.1:$port

start() {
	"$program" serve --http "127.0.0.1:$port" --data "$work/data" --workers 1 --group-by prefix --log-level warn "$@" &
	node=$!
	until curl -fs "$url/readyz" >/dev/null; do
		kill -0 "$node"
		sleep 0.1
	done
}

# post CALLER NUMBER [KEY] [MORE MEMBERS]
post() {
	curl -fs "$url/compute" -H 'Content-Type: application/json' -H "X-Caller-ID: $1" ${3:+-H "Idempotency-Key: $3"} -d "{\"number\":\"$2\"${4:-}}"
}

hard=1522605027922533360535618378132637429718068114961380688657908494580122963258952897654000350692006139
start --max-cpu 100ms
for n in 1001 360360 1000000016000000063 123456789012345678901234567890; do post alice "$n"; done
post alice 600851475143 key-1
post team:bob 99999999999999999999
curl -fs -X PUT "$url/callers/team:bob" -H 'Content-Type: application/json' -d '{"weight":5}'
post alice "$hard" # fails
sleep 4
kill "$node"
wait "$node" || true
start
post team:bob "1$hard" # runs when the node is killed
sleep 1
id=$(post team:bob "7$hard" | sed 's/.*"request_id":"\([^"]*\)".*/\1/')
curl -fs -X DELETE "$url/compute/$id"
post team:bob 35 key-2
post carol 39
curl -fs -X PUT "$url/callers/carol" -H 'Content-Type: application/json' -d '{"paused":true}'
post carol 51 '' ',"deadline":"2090-01-01T00:00:00Z"'
sleep 1
curl -fs "$url/compute?limit=1000" >"$out.json"
kill -9 "$node"
wait "$node" || true
rm -rf "$out"
cp -r "$work/data" "$out"
rm "$out/LOCK"
