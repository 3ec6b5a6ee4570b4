export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * What a shell does on <Tab>: it asks `hyperctl complete`, whose first line says what follows: values with descriptions behind a
 * tab, or that files or folders are meant. Nothing of an answer is ever evaluated: names of VMs are chosen by others.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // The command's own word is called, which may be a path.
  bash: `# bash completion of hyperctl. In ~/.bashrc: source <(hyperctl autocomplete bash)
_hyperctl() {
  local reply
  COMPREPLY=()
  mapfile -t reply < <("\${1/#\\~/$HOME}" complete bash -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  case \${reply[0]-} in
    files) compopt -o default -o bashdefault ;;
    folders) compopt -o plusdirs ;;
    *) COMPREPLY=("\${reply[@]:1}") ;;
  esac
  # The order is the answer's: the newest first. bash 4.4 and newer.
  compopt -o nosort 2>/dev/null
}
complete -F _hyperctl hyperctl
`,
  zsh: `#compdef hyperctl
# zsh completion of hyperctl. In ~/.zshrc, after compinit: source <(hyperctl autocomplete zsh)
_hyperctl() {
  local -a reply values shown
  local line
  reply=("\${(@f)$("\${(Q)words[1]}" complete zsh -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $reply[1] in
    files) compset -P '--*='; _files; return ;;
    folders) compset -P '--*='; _files -/; return ;;
  esac
  for line in "\${(@)reply[2,-1]}"; do
    [[ -z $line ]] && continue
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  (( $#values )) && compadd -l -V hyperctl -d shown -a values
}
if [[ $funcstack[1] == _hyperctl ]]; then _hyperctl; else compdef _hyperctl hyperctl; fi
`,
  fish: `# fish completion of hyperctl. Once: hyperctl autocomplete fish > ~/.config/fish/completions/hyperctl.fish
function __hyperctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l reply ($words[1] complete fish -- $words[2..-1] "$current" 2>/dev/null)
    set -l before (string match -r -- '^--[^=]*=' "$current")
    set -l rest (string replace -r -- '^--[^=]*=' '' "$current")
    switch "$reply[1]"
        case files
            for one in (__fish_complete_path "$rest")
                printf '%s%s\\n' "$before" $one
            end
        case folders
            for one in (__fish_complete_directories "$rest")
                printf '%s%s\\n' "$before" $one
            end
        case '*'
            printf '%s\\n' $reply[2..-1]
    end
end
complete -c hyperctl -f -k -a '(__hyperctl_complete)'
`,
};
