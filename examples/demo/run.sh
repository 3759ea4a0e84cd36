#!/bin/sh
# The server, the media service and its load, until Ctrl-C: run.sh SONDE DEMO DIRECTORY [ARGS of serve]
# The server scrapes the demo and takes its events; its data stays in DIRECTORY.
set -eu
sonde=$1 demo=$2 dir=$3
shift 3
here=$(dirname "$0")
port=${DEMO_PORT:-8085} metrics=${DEMO_METRICS_PORT:-9465} listen=${DEMO_LISTEN:-127.0.0.1:9464}
mkdir -p "$dir"
cat >"$dir/sonde.yml" <<YAML
global: {scrape_interval: 5s}
scrape_configs:
  - job_name: media-studio
    static_configs: [{targets: ["127.0.0.1:$metrics"]}]
YAML
pids=''
# shellcheck disable=SC2086,SC2329
stop() {
    trap - EXIT INT TERM
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$sonde" serve --access open --listen "$listen" --data "$dir/data" --config "$dir/sonde.yml" "$@" &
server=$!
pids=$server
"$demo" --port "$port" --metrics "127.0.0.1:$metrics" --events "http://$listen" &
pids="$pids $!"
python3 "$here/load.py" "http://127.0.0.1:$port" --rate "${DEMO_RATE:-20}" >"$dir/load.log" &
pids="$pids $!"
echo "dashboard with the demo's data: http://$listen/"
wait "$server"
