#!/usr/bin/env bash
# Checks what a deploy needs before it starts: programs, environment, configuration, Compose file.
#
# Says everything that is wrong and exits 1. An unclean git tree, or an unhealthy system before the
# deploy, is only a warning: the deploy may be the cure.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/environment.sh
source "$here/environment.sh"

check_programs() {
  local program
  for program in git jq curl; do
    command -v "$program" >/dev/null || complain "$program is not installed"
  done
  exporter --version >/dev/null 2>&1 || complain "chatterfy-exporter cannot be run: install it, or say in EXPORTER how to call it"
  if [[ -z "${DEPLOY-}" ]] && ! has_compose; then
    complain "docker compose cannot be run: install it, or say in DEPLOY how to deploy"
  fi
}

has_compose() {
  docker compose version >/dev/null 2>&1
}

check_required() {
  local names name
  read -ra names <<<"${REQUIRED-}"
  for name in ${names[@]+"${names[@]}"}; do
    if [[ ! "$name" =~ ^[A-Za-z_][A-Za-z_0-9]*$ ]]; then
      complain "REQUIRED names something that is no variable: separate names by spaces"
    elif [[ -z "${!name-}" ]]; then
      complain "$name is not set, and REQUIRED asks for it"
    fi
  done
}

check_config() {
  [[ -n "${CONFIG-}" ]] || return 0
  exporter config check --config "$CONFIG" || complain "CONFIG: $CONFIG has problems"
}

check_compose_file() {
  if [[ ! -e "$COMPOSE_FILE" ]]; then
    [[ -n "${DEPLOY-}" ]] || complain "COMPOSE_FILE: there is no file $COMPOSE_FILE"
  elif has_compose; then
    docker compose -f "$COMPOSE_FILE" config --quiet || complain "COMPOSE_FILE: $COMPOSE_FILE is not valid"
  fi
}

check_git_tree() {
  local changes
  if ! changes="$(git status --porcelain 2>/dev/null)"; then
    warn "this is no git repository: set VERSION to say what is deployed"
  elif [[ -n "$changes" ]]; then
    warn "the git tree has changes that are not committed: version $VERSION does not tell what is deployed"
  fi
}

look_at_what_runs() {
  local said
  if ! said="$(DEADLINE=3s "$here/health-check.sh" 2>&1)"; then
    printf '%s\n' "$said" | sed -n 's/^❌ /⚠️  before the deploy: /p' >&2
  fi
}

echo "🔎 Checking what the deploy needs..."
check_programs
check_environment
check_required
check_config
check_compose_file
check_git_tree
exit_if_complained 1
look_at_what_runs
echo "✅ Ready to deploy"
