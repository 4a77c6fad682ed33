import { constants } from 'node:os'
import type { Job } from './job.ts'
import type { Switches } from './switches.ts'

/** Of sysexits(3) and errno(2), which launchctl adds to a code. */
const CODES: Readonly<Record<number, string>> = { 1: 'Operation not permitted', 78: 'EX_CONFIG' }
const SIGNALS: Readonly<Record<string, string>> = {
  SIGKILL: 'Killed',
  SIGTERM: 'Terminated',
  SIGABRT: 'Abort trap',
}

/** `launchctl print TARGET`, as macOS writes it: see test/fixtures/launchd. */
export function printJob(job: Job, style: Switches['print']): string {
  if (style === 'garbled')
    return `${job.domain}/${job.plist.Label}: state running (changed in this version)\n`
  const text = whole(job, style)
  return style === 'cut short' ? text.slice(0, Math.floor(text.length / 2)) : text
}

function whole(job: Job, style: Switches['print']): string {
  const { plist, pid, domain, file, word, runs, reason, isWedged } = job
  const isOld = style === 'as on Mojave'
  const block = (name: string, lines: readonly string[]) => [
    `\t${name} = {`,
    ...lines.map((it) => `\t\t${it}`),
    '\t}',
    '',
  ]
  const environment = { ...plist.EnvironmentVariables, XPC_SERVICE_NAME: plist.Label }
  const coalition = [
    'ID = 1114',
    'type = resource',
    'state = active',
    'active count = 1',
    `name = ${plist.Label}`,
  ]
  return [
    `${isOld ? '' : `${domain}/`}${plist.Label} = {`,
    `\tactive count = ${pid === undefined ? 0 : 1}`,
    `\tpath = ${file}`,
    ...(isOld ? [] : ['\ttype = LaunchAgent']),
    `\tstate = ${word}`,
    '',
    `\tprogram = ${plist.ProgramArguments[0]}`,
    ...block('arguments', plist.ProgramArguments),
    `\tworking directory = ${plist.WorkingDirectory}`,
    '',
    `\tstdout path = ${plist.StandardOutPath}`,
    `\tstderr path = ${plist.StandardErrorPath}`,
    ...block('default environment', ['PATH => /usr/bin:/bin:/usr/sbin:/sbin']),
    ...(style === 'without environment' ? [] : block('environment', shown(environment))),
    `\tdomain = ${isOld ? 'com.apple.xpc.launchd.domain.user' : `${domain} [100009]`}`,
    `\tminimum runtime = ${plist.ThrottleInterval}`,
    `\texit timeout = ${plist.ExitTimeOut}`,
    `\truns = ${runs}`,
    ...(isOld ? ['\tsuccessive crashes = 0'] : []),
    ...(pid === undefined ? [] : [`\tpid = ${pid}`]),
    ...(runs === 0 ? [] : [`\timmediate reason = ${reason}`, '\tforks = 0', '\texecs = 1']),
    `\t${lastExit(job)}`,
    '',
    ...(isOld ? [] : block('resource coalition', coalition)),
    `\tspawn type = ${plist.ProcessType === 'Interactive' ? 'interactive (4)' : 'daemon (3)'}`,
    ...(pid === undefined || isOld ? [] : ['\tjob state = running']),
    '',
    `\tproperties = keepalive | runatload | inferred program${isWedged ? ' | penalty box' : ''}`,
    '}',
    '',
  ].join('\n')
}

function shown(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name} => ${value}`)
}

/** A signal stands in the place of a code. */
function lastExit({ exit }: Job): string {
  if (!exit) return 'last exit code = (never exited)'
  const { code, signal } = exit
  if (signal) return `last terminating signal = ${SIGNALS[signal] ?? 'Unknown'}: ${constants.signals[signal]}`
  const name = CODES[code ?? 0]
  return `last exit code = ${code}${name === undefined ? '' : `: ${name}`}`
}

/** `launchctl list LABEL`, the old form: its status is that of wait(2). */
export function listJob({ plist, pid, exit }: Job): string {
  const status = exit ? (exit.signal ? constants.signals[exit.signal] : (exit.code ?? 0) * 256) : 0
  return `{
\t"LimitLoadToSessionType" = "Aqua";
\t"Label" = "${plist.Label}";
\t"OnDemand" = false;
\t"LastExitStatus" = ${status};
${pid === undefined ? '' : `\t"PID" = ${pid};\n`}\t"Program" = "${plist.ProgramArguments[0]}";
};
`
}
