#!/usr/bin/env bash
# Deploys: pre-deploy checks, DEPLOY, the health gate, and a notice to Slack of how it went.
#
# When DEPLOY or the health gate fails, ROLLBACK runs, the notice says why, and the exit code is 1.
# Where DEPLOYS_URL is set, chatterfy-exporter is told and tells Slack; where Slack does not have the notice from it,
# SLACK_WEBHOOK gets one. Neither of them being down ever fails a deploy.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/environment.sh
source "$here/environment.sh"

# shellcheck disable=SC2016  # the shell that runs it fills in the name
deploy="${DEPLOY:-docker compose -f \"\$COMPOSE_FILE\" up -d}"
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
rollback="not tried"
trap 'give_up interrupted "$rollback" 130' INT TERM

notice() {
  "$here/slack-notice.sh" "$1" "$2" Environment "$ENVIRONMENT" Version "$VERSION" "${@:3}" || true
}

# Tells the exporter, and says whether Slack has the notice from it.
tell_exporter() {
  [[ -n "${DEPLOYS_URL-}" ]] || return 1
  exporter deploy --url="$DEPLOYS_URL" --version="$VERSION" --environment="$ENVIRONMENT" --app="$APP_NAME" "$@" 2>&1 |
    tee "$said" || true
  grep -q '^slack: sent' "$said"
}

# Runs a script of ours; shows what it says, and keeps it for the reason.
step() {
  "$here/$1" 2>&1 | tee "$said"
}

complaints() {
  awk 'sub(/^❌ /, "") { all = all (all ? "; " : "") $0 } END { print all ? all : "no reason given" }' "$said"
}

# give_up REASON ROLLBACK [CODE]
give_up() {
  trap - INT TERM
  complain "Deployment failed: $1"
  tell_exporter --failed="$1" --rollback="$2" ||
    notice danger "❌ $APP_NAME deployment to $ENVIRONMENT failed" Reason "$1" Rollback "$2"
  exit "${3:-1}"
}

roll_back() {
  local code=0
  if [[ -z "${ROLLBACK-}" ]]; then
    warn "ROLLBACK is not set: what was deployed stays"
    give_up "$1" "none (ROLLBACK is not set)"
  fi
  echo "⏪ Rolling back..."
  rollback="interrupted: $ENVIRONMENT needs you now"
  bash -eo pipefail -c "$ROLLBACK" || code=$?
  if ((code)); then
    complain "THE ROLLBACK FAILED TOO (exit code $code): $ENVIRONMENT NEEDS YOU NOW"
    give_up "$1" "FAILED with exit code $code: $ENVIRONMENT needs you now"
  fi
  echo "⏪ Rolled back"
  give_up "$1" "done"
}

echo "🚀 Starting deployment of $APP_NAME $VERSION to $ENVIRONMENT..."
step pre-deploy-checks.sh || give_up "$(complaints)" "not needed: nothing was deployed"
bash -eo pipefail -c "$deploy" || roll_back "the deploy command ended with exit code $?"
step health-check.sh || roll_back "$(complaints)"
tell_exporter || notice good "🚀 $APP_NAME deployed to $ENVIRONMENT successfully"
echo "✅ Deployment completed successfully!"
