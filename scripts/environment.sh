# shellcheck shell=bash
# Environment:
#   APP_URL        The web's address, e.g. https://yourdomain.com (needed)
#   API_URL        The API's address, e.g. https://api.yourdomain.com (needed)
#   ENVIRONMENT    What is deployed to (default: production)
#   APP_NAME       What is deployed, for people (default: Chatterfy)
#   VERSION        Which version is deployed (default: git's short commit id)
#   DEADLINE       How long the health gate waits, e.g. 90s or 5m (default: 120s)
#   REQUIRED       Further names that must be set before a deploy, e.g. "DATABASE_URL STRIPE_SECRET_KEY"
#   CONFIG         chatterfy-exporter's configuration file, checked before a deploy when it is named
#   COMPOSE_FILE   The Compose file (default: docker-compose.yml)
#   DEPLOY         The shell command that deploys (default: docker compose -f "$COMPOSE_FILE" up -d)
#   ROLLBACK       The shell command that undoes a deploy that failed (default: none)
#   EXPORTER       How to call chatterfy-exporter (default: chatterfy-exporter)
#   DEPLOYS_URL    Where chatterfy-exporter takes deploys, e.g. http://127.0.0.1:9878 (default: none, it is not told)
#   DEPLOYS_TOKEN  The token of its section ingest.deploys; a secret, never shown
#   SLACK_WEBHOOK  Where notices go; a secret, never shown (default: none, no notices)

comment_on_top() {
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"
}

case "${1-}" in
  "") ;;
  -h | --help)
    comment_on_top "$0"
    echo
    comment_on_top "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *)
    printf '%s takes no arguments, but names from the environment: see --help\n' "$0" >&2
    exit 2
    ;;
esac

export ENVIRONMENT="${ENVIRONMENT:-production}"
export APP_NAME="${APP_NAME:-Chatterfy}"
export COMPOSE_FILE="${COMPOSE_FILE:-docker-compose.yml}"
export VERSION="${VERSION:-$(git rev-parse --short HEAD 2>/dev/null || echo unknown)}"
DEADLINE="${DEADLINE:-120s}"
EXPORTER="${EXPORTER:-chatterfy-exporter}"

failed=0

complain() {
  printf '❌ %s\n' "$*" >&2
  failed=1
}

# A script complains of all that is wrong before it ends, not only of the first thing.
exit_if_complained() {
  if ((failed)); then exit "$1"; fi
}

warn() {
  printf '⚠️  %s\n' "$*" >&2
}

exporter() {
  bash -c "$EXPORTER \"\$@\"" exporter "$@"
}

# Addresses are printed and stand on command lines, so they may not carry a password.
check_url() {
  local name="$1" value="${!1-}"
  if [[ -z "$value" ]]; then
    complain "$name is not set: set it to an address such as $2"
  elif [[ "$value" =~ ^https?://[^/]*@ ]]; then
    complain "$name has a user or password in it: it would show in logs, leave it out"
  elif [[ ! "$value" =~ ^https?://[^/[:space:]]+[^[:space:]]*$ ]]; then
    complain "$name is not an address such as $2"
  fi
}

check_environment() {
  check_url APP_URL https://yourdomain.com
  check_url API_URL https://api.yourdomain.com
  if [[ ! "$DEADLINE" =~ ^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$ ]]; then
    complain "DEADLINE is not a duration such as 90s or 5m"
  fi
}
