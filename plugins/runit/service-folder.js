// @ts-check
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** @import { Daemon } from 'private-connect/platform' */

/**
 * What the scripts of a service folder hold, by their names.
 *
 * @typedef {Readonly<Record<string, string>>} Scripts
 */

/** What of the caller's environment is written down: no secrets. The rest is what runsvdir was given. */
const KEPT = ['HOME', 'CONNECT_DAEMON', 'NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA']

/** runit gives it the agent's exit code and signal, or -1 and the signal. */
const FINISH = `#!/bin/sh
echo "$1 $2" >last-exit
# Only a human can help, so the daemon stays down.
[ "$1" != 78 ] || exec sv down "$PWD"
# Ten seconds until the next start, unless it is to be none.
for second in 1 2 3 4 5 6 7 8 9 10; do
  case $(cat supervise/stat) in *want*) break ;; esac
  sleep 1
done
`

/**
 * The scripts of the service folder, by their names.
 *
 * @param {Daemon} daemon
 * @returns {Scripts}
 */
export function scriptsFor({ command, cwd, env, logFile }) {
  const kept = KEPT.flatMap((name) => (env[name] === undefined ? [] : [`${name}=${quote(env[name])}`]))
  const PATH = [path.dirname(command[0]), '/usr/local/bin', '/usr/bin', '/bin'].join(':')
  const run = `#!/bin/sh
# Written by Private Connect: install, start and restart write it anew.
umask 077
exec </dev/null >>${quote(logFile)} 2>&1
unset PRIVATECONNECT_TOKEN
cd ${quote(cwd)} || exit
exec env PATH=${quote(PATH)} ${kept.join(' ')} ${command.map(quote).join(' ')}
`
  return { run, finish: FINISH }
}

/**
 * Where `folder` is made and taken away: runsvdir overlooks what begins with a dot.
 *
 * @param {string} folder
 */
export function hidden(folder) {
  return path.join(path.dirname(folder), `.${path.basename(folder)}`)
}

/**
 * Makes the service folder. runsvdir takes it the moment it appears, so it is written elsewhere, with the
 * file `down`: nothing is started before `sv up`.
 *
 * @param {string} folder
 * @param {Daemon} daemon
 */
export async function makeFolder(folder, daemon) {
  const draft = hidden(folder)
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  await writeFile(path.join(draft, 'down'), '')
  await writeScripts(draft, scriptsFor(daemon))
  await rename(draft, folder)
}

/**
 * Writes those that differ. A start in between finds a whole script.
 *
 * @param {string} folder
 * @param {Scripts} scripts
 * @returns {Promise<boolean>} whether one differed
 */
export async function writeScripts(folder, scripts) {
  const differing = differingScripts(folder, scripts)
  for (const [name, text] of differing) {
    const draft = path.join(folder, `${name}.new`)
    await rm(draft, { force: true })
    await writeFile(draft, text, { mode: 0o700 })
    await rename(draft, path.join(folder, name))
  }
  return differing.length > 0
}

/**
 * What it takes to have the service folder as it should be.
 *
 * @param {string} folder
 * @param {Scripts} scripts
 */
export function changeOf(folder, scripts) {
  if (!existsSync(folder)) return 'created'
  return differingScripts(folder, scripts).length > 0 ? 'updated' : 'unchanged'
}

/**
 * @param {string} folder
 * @param {Scripts} scripts
 */
function differingScripts(folder, scripts) {
  return Object.entries(scripts).filter(([name, text]) => textOf(folder, name) !== text)
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {string | undefined} undefined if there is no such file
 */
export function textOf(folder, name) {
  const file = path.join(folder, name)
  // What is no file is taken for none, unread: a FIFO would be waited for, for ever.
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file, 'utf8') : undefined
}

/**
 * A word as sh takes it.
 *
 * @param {string} word
 */
export function quote(word) {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
