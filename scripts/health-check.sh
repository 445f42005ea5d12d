#!/usr/bin/env bash
# The health gate: waits until the API, the web and the API's database answer 200, or DEADLINE is over.
#
# Asks all three at the same time and names each one that failed, with its last reason.
# Exits 0 when all are healthy, 1 when one is not, 2 when the environment is not complete.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/environment.sh
source "$here/environment.sh"

check_environment
exit_if_complained 2

names=(API Frontend Database)
urls=("${API_URL%/}/health" "${APP_URL%/}/api/health" "${API_URL%/}/admin/health/db")
waiting=()
folder="$(mktemp -d)"

# Jobs in the background do not hear Ctrl-C, so they are ended with the script.
clean_up() {
  kill ${waiting[@]+"${waiting[@]}"} 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

exec 3> >(exec tee "$folder/said")
tee_pid=$!
for url in "${urls[@]}"; do
  (exec bash -c "$EXPORTER \"\$@\"" exporter health --url "$url" --deadline "$DEADLINE") >&3 2>&1 3>&- &
  waiting+=("$!")
done
healthy=()
for pid in "${waiting[@]}"; do
  if wait "$pid"; then healthy+=(yes); else healthy+=(no); fi
done
waiting=()
exec 3>&-
wait "$tee_pid"

last_reason() {
  URL="$1: " awk 'index($0, ENVIRON["URL"]) == 1 && !/: not healthy within / { reason = substr($0, length(ENVIRON["URL"]) + 1) }
    END { print reason ? reason : "chatterfy-exporter health did not run, see above" }' "$folder/said"
}

for i in "${!names[@]}"; do
  if [[ "${healthy[i]}" == no ]]; then
    complain "${names[i]} health check failed: ${urls[i]}: $(last_reason "${urls[i]}")"
  fi
done
exit_if_complained 1
echo "✅ All health checks passed"
