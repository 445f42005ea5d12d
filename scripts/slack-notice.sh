#!/usr/bin/env bash
# Sends a notice to Slack: slack-notice.sh COLOR TEXT [TITLE VALUE]...
#
# COLOR is good, warning or danger; each TITLE and VALUE becomes a field of the attachment.
# The address comes from SLACK_WEBHOOK and goes to curl on its standard input, because it is a secret.
# Without one it says so and exits 0. A busy Slack (429, Retry-After) is asked once more.
# Exits 1 when Slack did not take the notice, 2 when the arguments make no sense.
set +x -euo pipefail # a trace would show the webhook

if [[ "${1-}" == -h || "${1-}" == --help ]]; then
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
  exit 0
fi
if (($# < 2 || $# % 2)); then
  echo "slack-notice.sh: expected COLOR TEXT [TITLE VALUE]..., see --help" >&2
  exit 2
fi
if [[ -z "${SLACK_WEBHOOK-}" ]]; then
  echo "SLACK_WEBHOOK is not set: no notice was sent"
  exit 0
fi

give_up() {
  printf '⚠️  No notice was sent to Slack: %s\n' "${1//"$SLACK_WEBHOOK"/***}" >&2
  exit 1
}

# What curl would read as more than an address does not belong into its configuration.
if [[ ! "$SLACK_WEBHOOK" =~ ^https?://[^[:space:]\"\\]+$ ]]; then
  give_up "SLACK_WEBHOOK is not an address"
fi
for program in jq curl; do
  command -v "$program" >/dev/null || give_up "$program is not installed"
done

# Slack obeys <!channel> and the like: a value that holds such signs is shown instead.
shown='def shown: .[:2000] | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;");'
# shellcheck disable=SC2016  # jq's variables, not the shell's
message='{
  text: $text | shown,
  attachments: [{color: $color, fields: ($fields | map({title: .[0] | shown, value: .[1] | shown, short: (.[1] | length < 40)}))}]
}'
color="$1" text="$2" fields='[]'
shift 2
while (($#)); do
  fields="$(jq -n --argjson fields "$fields" --arg title "$1" --arg value "$2" '$fields + [[$title, $value]]')"
  shift 2
done
body="$(jq -n --arg color "$color" --arg text "$text" --argjson fields "$fields" "$shown $message")"

said="$(
  printf 'url = "%s"\n' "$SLACK_WEBHOOK" |
    curl --disable --config - --globoff --silent --show-error --fail --output /dev/null \
      --max-time 10 --retry 1 --retry-connrefused --retry-max-time 60 \
      --header 'Content-Type: application/json' --data-raw "$body" 2>&1
)" || give_up "$said"
echo "📣 Slack has the notice"
