/** How the program is installed: from its own tarball, since its npm name is another project's. */
export const LOCAL_PACKAGE = 'npm install -g ./private-connect-VERSION.tgz'

/**
 * Every error that a user can meet: its code, what causes it and what fixes it. docs/errors.md is made from
 * this table (`npm run docs`), so each text is written for the person who reads it there.
 */
export const ERRORS = {
  NOT_CONFIGURED: {
    cause: 'This machine has no credential for a hub yet.',
    fix: 'Run: connect up (or, only to log in: connect login)',
  },
  CONFIG_UNREADABLE: {
    cause: 'The config file exists but cannot be read: wrong owner, wrong mode, or not a file.',
    fix: 'Make the file readable for your user; nothing was changed.',
  },
  CONFIG_DAMAGED: {
    cause: 'The file is not what Private Connect writes: truncated, edited by hand, or another program’s.',
    fix: 'Fix the file, or move it away and run: connect login',
  },
  CONFIG_NEWER: {
    cause: 'The file was written by a newer version of Private Connect, which this one cannot read.',
    fix: `Upgrade it by a newer version’s tarball: ${LOCAL_PACKAGE}`,
  },
  CONFIG_EXPOSED: {
    cause: 'The config holds this machine’s private key, and other users can read it.',
    fix: 'Run: chmod 600 on the file; if others may have read it, log out and log in again for a new key.',
  },
  WRITE_FAILED: {
    cause:
      'A file could not be written: the disk is full, read-only, or not yours. The old file is as it was.',
    fix: 'Free some space, or fix the owner and mode of the folder.',
  },
  SERVICES_DAMAGED: {
    cause: 'The list of exposed services is not what Private Connect writes.',
    fix: 'Fix the file, or move it away and expose the services again.',
  },
  REACHES_DAMAGED: {
    cause: 'The list of kept reaches is not what Private Connect writes.',
    fix: 'Fix the file, or move it away and keep the reaches again: connect reach NAME --keep',
  },
  BAD_TARGET: {
    cause: 'The target to expose is neither a host and a port nor a Unix socket.',
    fix: 'Give [HOST:]PORT, for example localhost:5432, 5432 or [::1]:8080; or unix:PATH, for example unix:/run/web.sock.',
  },
  BAD_NAME: {
    cause: 'A service name has 1 to 63 characters: a-z, 0-9 and -, and neither begins nor ends with -.',
    fix: 'Give 1 to 63 of a-z, 0-9 and -, with no - at either end, for example: staging-api',
  },
  BAD_HUB_URL: {
    cause: 'The hub’s address is not a usable URL.',
    fix: 'Give it as https://HOST[:PORT], without a user name, password, query or fragment.',
  },
  INSECURE_HUB: {
    cause:
      'The hub’s address is plain http and leads off this machine, so anyone on the way could read the traffic.',
    fix: 'Use its https address (a hub that others reach has a certificate of its own), or accept the risk with --insecure.',
  },
  WRONG_HUB: {
    cause: 'A credential belongs to the hub that issued it, and this one was issued by another.',
    fix: 'Log in to that hub first, with connect login --hub URL, or leave --hub out.',
  },
  BAD_TOKEN: {
    cause:
      'An invite begins with inv_ and a join token with tok_; the person who runs the hub makes them (connect hub token create --invite).',
    fix: 'Copy all of it once more, as it was printed, and run: connect login (without a terminal: with --token-file FILE)',
  },
  BAD_INVITE: {
    cause: 'An invite is one word that begins with inv_; this one is not as it was made.',
    fix: 'Copy all of it once more, as it was printed by: connect hub token create --invite',
  },
  WRONG_AUTHORITY: {
    cause:
      'The certificate that was shown at the hub’s address is not of the authority that the invite names: another hub answers there, or something in between wants to read along. Nothing was sent to it.',
    fix: 'If the hub has another certificate on purpose, ask for a new invite, and where this machine is logged in: connect logout, then connect login',
  },
  SECRET_TYPED: {
    cause:
      'An invite or a join token stood in the command line, which every user of this machine can read, and which the shell keeps in its history.',
    fix: 'Have it revoked (connect hub token revoke ID), and give the next one where it is asked for: connect login',
  },
  TOKEN_REFUSED: {
    cause: 'The hub does not accept this join token: unknown, used up, expired or revoked.',
    fix: 'Ask for a new one: connect hub token create --invite',
  },
  TOKEN_MISSING: {
    cause: 'Joining a hub takes an invite or a join token, and there is no terminal to ask for one.',
    fix: 'Set PRIVATECONNECT_TOKEN, or run: connect login --token-file FILE',
  },
  PROXY_FAILED: {
    cause:
      'The proxy on the way to the hub can’t be reached, wants another password, or does not let the hub through.',
    fix: 'Check the proxy in HTTPS_PROXY; for a hub that needs none, name it in NO_PROXY.',
  },
  BAD_PROXY: {
    cause: 'What is set as a proxy can’t be used: it must be an http or https URL.',
    fix: 'Fix HTTPS_PROXY (for a hub on plain http: HTTP_PROXY): http://[USER:PASSWORD@]HOST:PORT',
  },
  BAD_CA: {
    cause: 'The file of the authority to trust can’t be read, or has no certificate in it.',
    fix: 'Give a PEM file with the authority’s certificate: connect login --ca FILE',
  },
  HUB_SETTINGS_DAMAGED: {
    cause: 'What the hub is to be run with is not what Private Connect writes.',
    fix: 'Fix the file, or move it away and give the flags again: connect hub install',
  },
  HUB_UNREACHABLE: {
    cause: 'No connection to the hub: it is down, the network is, or something between blocks it.',
    fix: 'Check the address and that the hub runs, then try again.',
  },
  NOT_A_HUB: {
    cause: 'Something answered at the hub’s address, but not a Private Connect hub.',
    fix: 'Check the address: connect login --hub URL',
  },
  HUB_OLDER: {
    cause: 'The hub is of a version that cannot do this yet.',
    fix: 'Have the hub upgraded. Until then, have a TCP port lead to the socket: socat TCP-LISTEN:PORT,bind=127.0.0.1,fork UNIX-CONNECT:FILE',
  },
  HUB_ERROR: {
    cause: 'The hub could not do what it was asked.',
    fix: 'Try again; if it stays so, look at the hub’s own output.',
  },
  REVOKED: {
    cause: 'The hub’s owner has revoked this machine.',
    fix: 'Log in again with a new join token: connect logout, then connect login',
  },
  AGENT_UNKNOWN: {
    cause: 'The hub does not know this machine: its database may have been lost or replaced.',
    fix: 'If that is meant to be so, log in again: connect logout, then connect login',
  },
  AGENT_BUSY: {
    cause: 'An agent process holds this instance, but does not answer.',
    fix: 'Run: connect daemon restart (one in a terminal: Ctrl-C, and start it again)',
  },
  HUB_BUSY: {
    cause: 'A hub process holds its data folder, but does not answer.',
    fix: 'Run: connect hub restart (one in a terminal: Ctrl-C, and start it again)',
  },
  AGENT_RUNNING: {
    cause: 'An agent is running with this credential.',
    fix: 'Run: connect daemon stop',
  },
  AGENT_ELSEWHERE: {
    cause:
      'An agent holds this instance, but it can’t be told which process it is: most likely it runs in another container that shares the home folder.',
    fix: 'Stop it there. If no other container shares this folder, end the process named by: fuser ~/.privateconnect/agent.lock',
  },
  HUB_ELSEWHERE: {
    cause:
      'A hub holds its data folder, but it can’t be told which process it is: most likely it runs in another container that shares the folder.',
    fix: 'Stop it there. If no other container shares the folder, end the process named by: fuser ~/.privateconnect/hub/hub.lock',
  },
  HUB_NAME_TAKEN: {
    cause:
      'The service of an agent whose config file is called hub.json has the name that the hub’s is to have: it was installed when that was nobody’s.',
    fix: 'Have it installed anew, by another name: connect daemon install --config FILE',
  },
  PROGRAM_GONE: {
    cause: 'The program that the agent or the hub runs, or the agent’s config, was deleted while it ran.',
    fix: `Install it again if that was not meant: ${LOCAL_PACKAGE}, then: connect daemon restart, or connect hub restart`,
  },
  SERVICE_UNKNOWN: {
    cause: 'No service of that name is offered in the workspace.',
    fix: 'See what there is: connect services',
  },
  AGENT_OFFLINE: {
    cause:
      'The machine that exposes the service has no link to the hub now: it is off, asleep, or its agent does not run.',
    fix: 'On that machine run: connect daemon status',
  },
  TARGET_UNREACHABLE: {
    cause:
      'The machine that exposes the service could not connect to its target: nothing listens there, or nobody answers.',
    fix: 'Start the service on the machine that exposes it; the log there says what was tried: connect daemon logs',
  },
  CONNECTION_RESET: {
    cause: 'A connection was cut short: the service reset it, or the way to it was lost for too long.',
    fix: 'Connect again; if it stays so, look at the log on the machine that exposes the service: connect daemon logs',
  },
  STDIO_FAILED: {
    cause:
      'What --stdio reads from or writes to can’t be used: it is a folder, nobody reads it any more, or the disk is full.',
    fix: 'Look at what stdin and stdout lead to, and run it again.',
  },
  NAME_TAKEN: {
    cause: 'Another machine of the workspace exposes a service of that name.',
    fix: 'Choose another --name, or run connect unexpose there.',
  },
  PORT_IN_USE: {
    cause: 'Another program listens on that port.',
    fix: 'Give another port; 0 is a free one.',
  },
  SOCKET_IN_THE_WAY: {
    cause: 'There is something at the path where a socket was to be made, and it is not for us to delete.',
    fix: 'Give another path.',
  },
  CANNOT_LISTEN: {
    cause: 'The address cannot be listened on: it is not this machine’s, or the port needs more rights.',
    fix: 'Give another address or port.',
  },
  DAEMON_FAILED: {
    cause: 'The process of the daemon, or of the hub, ended before it was up.',
    fix: 'The log says why: connect daemon logs, or for a hub: connect hub logs',
  },
  DAEMON_WONT_STOP: {
    cause:
      'The process of the daemon, or of the hub, could not be ended: it belongs to another user, or the kernel holds it.',
    fix: 'Look at the process with ps, and end it as its owner.',
  },
  INSTALL_UNSUPPORTED: {
    cause: 'There is no service manager here that this version can install the daemon, or the hub, into.',
    fix: 'Run it as a background process instead: connect daemon start, or connect hub start',
  },
  SERVICE_MANAGER_FAILED: {
    cause: 'The service manager of this machine can’t be spoken to, or did not do what it was asked.',
    fix: 'Look at what it says itself: systemctl --user status, or on macOS: launchctl print gui/$(id -u)',
  },
  INSTALLED_ELSEWHERE: {
    cause: 'The daemon, or the hub, is installed in another service manager: two would start two of it.',
    fix: 'Remove it from there first: connect daemon uninstall, or connect hub uninstall',
  },
  PLATFORM_UNKNOWN: {
    cause: 'No platform of that name is built in or installed as a plugin.',
    fix: 'Name one of those (--platform, CONNECT_PLATFORM), or install a plugin: connect plugins install NAME',
  },
  PLATFORM_AMBIGUOUS: {
    cause: 'Two plugins bring a platform of the same name, or a plugin one that is called as a built-in one.',
    fix: 'Remove one of the plugins: connect plugins uninstall NAME',
  },
  PLATFORM_UNSUPPORTED: {
    cause: 'Not currently supported (use foreground mode: connect up)',
    fix: 'Run: connect up',
  },
  BAD_CERTIFICATE: {
    cause: 'The hub can’t speak TLS with this certificate and key.',
    fix: 'Give PEM files that belong together: --tls-cert with the full chain, --tls-key with its key, without a passphrase.',
  },
  HUB_TLS_DAMAGED: {
    cause:
      'The authority that signs the hub’s own certificate, in the folder tls of its data, can’t be used.',
    fix: 'Bring the folder back from a backup. Or remove it, start the hub again, and give each machine the new authority: connect login --ca FILE',
  },
  HUB_KEY_EXPOSED: {
    cause:
      'The file holds a private key of the hub’s own certificate or authority, and other users can read it.',
    fix: 'Run: chmod 600 on the file; if others may have read it, remove the folder tls of the hub’s data, start the hub again, and give each machine the new authority.',
  },
  HUB_RUNNING: {
    cause: 'A hub is already running on this data folder.',
    fix: 'Stop it first: connect hub stop (one in a terminal: Ctrl-C). Or give another --data-dir.',
  },
  HUB_ADDRESS_UNKNOWN: {
    cause: 'An invite names the address of its hub, and it is not known where others reach this one.',
    fix: 'Give it one: connect hub start --listen HOST:PORT, or --url URL behind a reverse proxy',
  },
  HUB_DATA_DAMAGED: {
    cause: 'The hub’s database cannot be opened: damaged, not a database, or of a newer version.',
    fix: 'Restore a backup: connect hub restore FILE; or give another --data-dir.',
  },
  HUB_DATA_ABSENT: {
    cause:
      'There is no database where the hub had it: most likely its folder is on a disk that is not mounted. No new one is made in its place.',
    fix: 'Mount the disk, then run: connect hub start',
  },
  HUB_DATA_MISSING: {
    cause:
      'There is no hub’s database in that folder: no hub has run on it, and no join token was made there.',
    fix: 'Check --data-dir; connect hub and connect hub token create make one.',
  },
  FILE_EXISTS: {
    cause: 'A backup is never written over anything, and through no link.',
    fix: 'Give the path of a file that is not there yet, or remove what is.',
  },
  BACKUP_UNUSABLE: {
    cause: 'The file can’t be restored: it is no backup of a hub, is damaged, or a newer version made it.',
    fix: 'Give a file that connect hub backup has made. The hub’s data is as it was.',
  },
  BACKUP_OF_ANOTHER: {
    cause:
      'The backup is of another hub than the one whose data is here: the machines of this one would have to join anew.',
    fix: 'If that is meant to be so, run it again with --replace: the data of this one is kept beside. Or give another --data-dir.',
  },
  NO_SUCH_ENTRY: {
    cause: 'There is nothing with that id.',
    fix: 'See the list: connect hub token list, connect hub agent list',
  },
  BAD_VALUE: {
    cause: 'An option’s value cannot be used.',
    fix: 'See --help for what it takes.',
  },
  PROGRAM_MISSING: {
    cause: 'There is no program of that name on the PATH, or no file at that path.',
    fix: 'Install it, or give the path where it lies.',
  },
  PROGRAM_UNUSABLE: {
    cause:
      'The program is there and can’t be run: it is not executable, not a program, or has too many arguments.',
    fix: 'Look at the file with ls -l, and run it by itself.',
  },
  SSH_CARELESS: {
    cause:
      'OpenSSH before 9.6 does not look at what is in a host’s name (CVE-2023-51385), which an ssh_config for all services would hand to a shell: a repository that is cloned with its submodules could have commands run.',
    fix: 'Name the services: connect ssh --config NAME; or update OpenSSH.',
  },
  RUN_FROM_CACHE: {
    cause:
      'This copy of the program lies in the cache of npx or the like, which may be deleted at any time, and a daemon has to be started again from the same place.',
    fix: `Install it from its tarball: ${LOCAL_PACKAGE}, then: connect daemon start`,
  },
  FILE_UNTRUSTED: {
    cause:
      'A file that is to be believed or written to belongs to another user, can be changed by one, or is led to by a folder or link of theirs: they could make this program do what they like.',
    fix: 'Give it to the user who runs this, and take away what others may write: chown USER FILE, chmod go-w FILE',
  },
  LOG_UNREADABLE: {
    cause: 'There is a log, but it cannot be read: wrong owner, wrong mode, or not a file.',
    fix: 'Make the file readable for your user.',
  },
  PLATFORM_FAILED: {
    cause:
      'The platform that a plugin brings could not do what it was asked, took too long, or gave an answer that cannot be read.',
    fix: 'See the plugin’s own documentation, or do without it: CONNECT_PLATFORM=background',
  },
  NPM_MISSING: {
    cause: 'Plugins are installed by npm, which comes with Node.js. It is not where programs are looked for.',
    fix: 'Install npm, or add its folder to PATH, then run this again: https://docs.npmjs.com/downloading-and-installing-node-js-and-npm',
  },
  PLUGIN_NOT_INSTALLED: {
    cause: 'The plugin could not be had by npm, or not in time. What was installed before is as it was.',
    fix: 'Look at what npm says itself: npm view NAME, npm ping',
  },
  PLUGIN_UNUSABLE: {
    cause:
      'What was to be installed is no plugin of Private Connect, is made for another version of it, or can’t be loaded.',
    fix: 'Ask who made it, or take another version: connect plugins install NAME@VERSION',
  },
  PLUGIN_IN_USE: {
    cause:
      'The daemon, or the hub, is installed in a platform that the plugin brings: nothing else can stop or remove it.',
    fix: 'Remove that first: connect daemon uninstall, or connect hub uninstall',
  },
  PLUGIN_UNKNOWN: {
    cause: 'No plugin of that name is installed.',
    fix: 'See which there are: connect plugins',
  },
  PLUGINS_BUSY: {
    cause: 'Another command changes the plugins of this user at this very moment.',
    fix: 'Wait for it, or end it, then try again.',
  },
  PLUGINS_DAMAGED: {
    cause: 'The list of the plugins that are installed can’t be read, so none of them is used.',
    fix: 'Repair that file; or remove it, and install the plugins again.',
  },
  AGENT_OTHER_VERSION: {
    cause:
      'The agent that runs answers in a way that this version can’t read: most likely it is of another version.',
    fix: 'Run: connect daemon restart (one in a terminal: Ctrl-C, and start it again)',
  },
  HUB_OTHER_VERSION: {
    cause:
      'The hub that runs answers in a way that this version can’t read: most likely it is of another version.',
    fix: 'Run: connect hub restart (one in a terminal: Ctrl-C, and start it again)',
  },
  NO_PROC: {
    cause: 'Linux tells in /proc which process is which, and it is not mounted here.',
    fix: 'Mount it, or have the container given it: mount -t proc proc /proc',
  },
  SYSTEM_FAILED: {
    cause:
      'This machine could not do what every program asks of it: it is out of space, memory or file descriptors, or a device failed.',
    fix: 'See what has run out (df, free, ulimit -n), then run it again.',
  },
  RUN_BY_SUDO: {
    cause:
      'Each user has a daemon and a hub of their own, kept in their home folder and by their own service manager. With sudo they would be root’s.',
    fix: 'Run the same command without sudo.',
  },
} as const satisfies Record<string, { cause: string; fix: string }>

export type ErrorCode = keyof typeof ERRORS

/** Whether it is one of these, and not a word of another program, or of every object (`constructor`). */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
