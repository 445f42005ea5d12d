#!/usr/bin/env bash
# Writes what docker-compose.monitoring.yml needs and git must not see: make-secrets.sh [demo]
#
# That is .env, from .env.example, and a file for each secret in the folder secrets/. With `demo`, .env is for the
# profile demo, and its secrets are in secrets/demo/.
# Passwords and tokens between the stack's own parts are made up. Two secrets are yours: the Slack webhook, and the
# password of the mail account. They come from SLACK_WEBHOOK_URL and SMTP_PASSWORD, or are asked for in a terminal; the
# demo has placeholders for them, to which no message gets through.
# What is there already stays as it is. Exit code 1: one of yours is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1-}" in
  "") folder=secrets ;;
  demo) folder=secrets/demo ;;
  *)
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
    [[ "$1" == -h || "$1" == --help ]] && exit 0
    exit 2
    ;;
esac
missing=()

# Containers run as users of their own, and each secret is mounted as it is here: so all may read the files, but on this
# machine nobody else gets through the folder that they are in.
umask 022
mkdir -p secrets
chmod 700 secrets
mkdir -p "$folder/exporter"
[[ -e secrets/.gitignore ]] || echo '*' >secrets/.gitignore

random() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

# put NAME VALUE: whole or not at all, and with no newline at the end, which Alertmanager 0.25 would take for a part.
put() {
  local file="$folder/$1"
  if [[ -s "$file" ]]; then
    echo "$file: is there"
    return
  fi
  printf '%s' "$2" >"$file.new"
  mv "$file.new" "$file"
  echo "$file: written"
}

# yours NAME VALUE QUESTION
yours() {
  local value="$2"
  if [[ ! -s "$folder/$1" && -z "$value" && -t 0 ]]; then
    read -rsp "$3: " value
    echo
  fi
  if [[ -s "$folder/$1" || -n "$value" ]]; then
    put "$1" "$value"
  else
    missing+=("$folder/$1: $3")
  fi
}

put grafana_admin_password "$(random)"
put alerts_token "$(random)"
if [[ "$folder" == secrets ]]; then
  yours slack_webhook_url "${SLACK_WEBHOOK_URL-}" "the address of your Slack webhook"
  yours smtp_password "${SMTP_PASSWORD-}" "the password of your mail account"
else
  put slack_webhook_url http://localhost:9/no-slack-in-the-demo
  put smtp_password no-mail-in-the-demo
  put postgres_password "$(random)"
  put postgres_url "postgresql://postgres:$(<"$folder/postgres_password")@postgres:5432/chatterfy"
  put exporter_password "$(random)"
  put exporter/database_url "postgresql://exporter:$(<"$folder/exporter_password")@postgres:5432/chatterfy"
  put exporter/daily_url "postgresql://daily:$(<"$folder/exporter_password")@postgres:5432/chatterfy"
  put exporter/keeper_url "postgresql://keeper:$(<"$folder/exporter_password")@postgres:5432/chatterfy"
  put exporter/ingest_token "$(random)"
  put exporter/sentry_dsn http://demo@sentry.example.com/1
  put exporter/stripe_key "sk_test_$(random)"
  put exporter/s3_access_key "$(random)"
  put exporter/s3_secret_key "$(random)"
fi

# environment: .env for what is asked for; for the demo with its secrets, its profile, and volumes of its own.
environment() {
  if [[ "$folder" == secrets ]]; then
    cat .env.example
    return
  fi
  sed -e 's#=\./secrets/\(demo/\)*#=./secrets/demo/#' \
    -e 's#^EXPORTER_CONFIG=.*#EXPORTER_CONFIG=./compose/demo.yml#' \
    -e 's#^.GRAFANA_DATABASE_PASSWORD_FILE=.*#GRAFANA_DATABASE_PASSWORD_FILE=./secrets/demo/exporter_password#' \
    -e 's#^.COMPOSE_PROFILES=.*#COMPOSE_PROFILES=demo#' .env.example
  printf '\n# Volumes of its own: nothing of the demo gets into what comes after it.\nCOMPOSE_PROJECT_NAME=chatterfy-demo\n'
}

is_for_the_demo() { grep -q '^EXPORTER_SECRETS=\./secrets/demo/' .env; }

if [[ ! -e .env ]]; then
  environment >.env.new
  mv .env.new .env
  echo ".env: written"
elif [[ "$folder" == secrets ]] && is_for_the_demo; then
  echo ".env: is there, and is for the demo: rename it, and run this again" >&2
  exit 1
elif [[ "$folder" != secrets ]] && ! is_for_the_demo; then
  echo ".env: is there, and is not for the demo: rename it, and run this again" >&2
  exit 1
else
  echo ".env: is there"
fi

if ((${#missing[@]})); then
  printf 'missing: %s\n' "${missing[@]}" >&2
  echo "run this again in a terminal, or with SLACK_WEBHOOK_URL and SMTP_PASSWORD set" >&2
  exit 1
fi
