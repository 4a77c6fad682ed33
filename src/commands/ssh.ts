import { homedir } from 'node:os'
import path from 'node:path'
import { Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { foreignWords } from '../cli/argv/foreign-words.ts'
import { instanceFor, type Instance } from '../config/instance.ts'
import { parseServiceName, serviceOfHost } from '../config/service-name.ts'
import { ConnectError } from '../errors.ts'
import { runInForeground } from '../process/foreground.ts'
import { run } from '../process/run.ts'
import { resolveExecutable } from '../program/executable.ts'
import { parseSshWords } from '../ssh/command-line.ts'
import { destinationOf } from '../ssh/destination.ts'
import { settingsFor, sshConfig } from '../ssh/settings.ts'

export default class Ssh extends ConnectCommand {
  static override summary = 'Log in to a service by this machine’s OpenSSH, with all of its options'
  static override description =
    'Host keys are checked, and kept under NAME.privateconnect. With --config it prints what an ssh_config needs for scp, rsync, sftp and editors.'
  static override usage = [
    'ssh [--config FILE] [SSH-OPTION]... [USER@]NAME [COMMAND]...',
    'ssh [--config FILE] --config [NAME]...',
  ]
  static override examples = [
    '<%= config.bin %> ssh alice@dev',
    'GIT_SSH_COMMAND="<%= config.bin %> ssh" git clone alice@dev:project.git',
    '<%= config.bin %> ssh --config >> ~/.ssh/config && scp notes.txt alice@dev.privateconnect:',
  ]
  // Told in --help alone: all words are taken off before oclif sees any, see cli/argv/foreign-words.ts.
  static override flags = {
    config: Flags.string({
      description:
        'print an ssh_config; with a FILE (a name with a dot or slash) before all else: another instance',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { configFile, printed, args } = parseSshWords(foreignWords() ?? [])
    const named = configFile === undefined ? undefined : instanceFor(configFile)
    const instance = named?.name === 'default' ? undefined : named
    if (printed) {
      if (printed.length === 0) await refuseCarelessSsh()
      const program = this.#lastingProgram()
      return this.log(sshConfig(printed.map(parseServiceName), { program, instance }).trimEnd())
    }
    const { host, isQuestion } = destinationOf(args)
    const ours = host === undefined ? [] : this.#optionsFor(host, instance)
    if (host === undefined && !isQuestion)
      throw new ConnectError('BAD_VALUE', 'Which service to log in to is missing: [USER@]NAME')
    process.exitCode = await runSsh([...ours, ...args])
  }

  #optionsFor(host: string, instance: Instance | undefined): string[] {
    const name = parseServiceName(serviceOfHost(host))
    const settings = settingsFor(name, { program: [process.execPath, process.argv[1]!], instance })
    // ssh takes the first value that it is given.
    return settings.flatMap(([key, value]) => ['-o', `${key}=${value}`])
  }

  /** By paths that outlive upgrades. @throws ConnectError RUN_FROM_CACHE */
  #lastingProgram(): string[] {
    const { node, script } = resolveExecutable({
      execPath: process.execPath,
      invokedAs: process.argv[1],
      script: path.join(this.config.root, 'bin', 'run.js'),
      home: homedir(),
      env: process.env,
      command: 'connect ssh --config',
    })
    return [node, script]
  }
}

/** Of a host's name it is what a shell would take for the end of a command. */
const UNSAFE_HOST = 'a;b'

/**
 * In a ProxyCommand ssh puts a host's name for %h, and a shell reads it. Since 9.6 ssh takes no name that has
 * more in it than a name may; before that whoever had a repository cloned with its submodules could have
 * commands run (CVE-2023-51385). Systems have mended older ones, so the version does not tell.
 *
 * @throws ConnectError SSH_CARELESS
 */
async function refuseCarelessSsh(): Promise<void> {
  const { code } = await run(['ssh', '-G', '-F', 'none', UNSAFE_HOST], { env: process.env })
  if (code !== 0) return
  const message = 'This machine’s OpenSSH would hand any host’s name to a shell, with commands in it too'
  throw new ConnectError('SSH_CARELESS', message)
}

async function runSsh(args: readonly string[]): Promise<number> {
  try {
    return await runInForeground(['ssh', ...args], process.env)
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'PROGRAM_MISSING') throw error
    throw new ConnectError('PROGRAM_MISSING', 'There is no OpenSSH here: no program "ssh" is on the PATH', {
      hints: ['Install it, on Debian and Ubuntu for example by: sudo apt install openssh-client'],
      cause: error,
    })
  }
}
