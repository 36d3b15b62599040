# bash completion of upcased(8)
# shellcheck shell=bash

_upcased() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # --name=value comes as three words.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  case $previous in
    -c | --config | --socket)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      compopt -o filenames
      ;;
    -u | --unit)
      mapfile -t COMPREPLY < <(compgen -W 'upcased upcased@' -- "$current")
      ;;
    --client-directory)
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      compopt -o filenames
      ;;
    --allow-user | --deny-user)
      mapfile -t COMPREPLY < <(compgen -u -- "$current")
      ;;
    --allow-group | --deny-group)
      mapfile -t COMPREPLY < <(compgen -g -- "$current")
      ;;
    --credentials)
      mapfile -t COMPREPLY < <(compgen -W 'file kernel' -- "$current")
      ;;
    --client-mode)
      mapfile -t COMPREPLY < <(compgen -W 'private any' -- "$current")
      ;;
    --log-level)
      mapfile -t COMPREPLY < <(compgen -W 'error warning info debug' -- "$current")
      ;;
    --threads | --busy-poll)
      mapfile -t COMPREPLY < <(compgen -W 'auto' -- "$current")
      ;;
    --socket-mode | --backlog | --client-max-age | --max-clients | --max-clients-per-user | \
      --idle-timeout | --write-timeout | --drain-timeout) ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W '-c --config -t --check -T --print-config
        -u --unit -V --version -h --help --socket --socket-mode --backlog --client-directory
        --credentials --client-mode --client-max-age --allow-user --allow-group --deny-user
        --deny-group --max-clients --max-clients-per-user --idle-timeout --write-timeout
        --drain-timeout --threads --busy-poll --log-level' -- "$current")
      ;;
  esac
}
complete -F _upcased upcased
