import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** What the stand-in does: be a good agent, end at once, or live but ignore SIGTERM. */
export type Behaviour = 'good' | 'stubborn' | { readonly exit: number } | { readonly signal: NodeJS.Signals }

/** What the fake agent prints before it ends by itself. */
export const LAST_WORDS = 'The stand-in ends, as it was told'

/**
 * The real agent or hub in a program that can be told to misbehave, so that a platform can be watched while
 * it does.
 */
export class FakeAgent {
  readonly program: string
  readonly #behaviourFile: string
  readonly #startsFile: string

  /** @param options.home HOME, whatever the service manager says */
  constructor(folder: string, { runJs, home }: { runJs: string; home: string }) {
    mkdirSync(folder, { recursive: true })
    this.program = path.join(folder, 'stand-in.mjs')
    this.#behaviourFile = path.join(folder, 'behaviour.json')
    this.#startsFile = path.join(folder, 'starts')
    const words = { RUN_JS: pathToFileURL(runJs).href, HOME_FOLDER: home }
    writeFileSync(
      this.program,
      SOURCE.replaceAll(/RUN_JS|HOME_FOLDER/g, (word) => JSON.stringify(words[word as keyof typeof words])),
    )
    this.behave('good')
  }

  /** Tells the agent how to behave from its next start on. */
  behave(behaviour: Behaviour): void {
    writeFileSync(this.#behaviourFile, JSON.stringify(behaviour))
  }

  /** How often the fake agent has been started. */
  starts(): number {
    return existsSync(this.#startsFile) ? readFileSync(this.#startsFile, 'utf8').length : 0
  }
}

const SOURCE = `
import { appendFileSync, readFileSync, writeSync } from 'node:fs'
appendFileSync(new URL('starts', import.meta.url), '.')
process.env.HOME = HOME_FOLDER
const behaviour = JSON.parse(readFileSync(new URL('behaviour.json', import.meta.url), 'utf8'))
if (behaviour.exit !== undefined || behaviour.signal) writeSync(2, ${JSON.stringify(LAST_WORDS)})
if (behaviour.exit !== undefined) process.exitCode = behaviour.exit
else if (behaviour.signal) {
  process.kill(process.pid, behaviour.signal)
  await new Promise((resolve) => setTimeout(resolve, 60_000))
} else {
  if (behaviour === 'stubborn') ignoreSigterm()
  await import(RUN_JS)
}

function ignoreSigterm() {
  process.on('SIGTERM', () => {})
  for (const name of ['on', 'once', 'addListener']) {
    const listen = process[name]
    process[name] = function (event, ...rest) {
      return event === 'SIGTERM' ? this : listen.call(this, event, ...rest)
    }
  }
}
`
