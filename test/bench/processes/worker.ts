import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What a worker can do: by name, what it takes and what it answers. */
export type Jobs<J> = { readonly [K in keyof J]: { readonly input: unknown; readonly output: unknown } }

type Answer<T> = { readonly output: T } | { readonly error: string }

const TIMEOUT_MS = 120_000

/** A process of the bench's own that does one job at a time, told over its IPC channel. */
export class Worker<J extends Jobs<J>> {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  constructor(file: string, env: NodeJS.ProcessEnv = {}) {
    this.#child = fork(file, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#exited = once(this.#child, 'exit')
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** @throws Error with what went wrong in the worker, or that it has ended, or takes too long */
  async ask<K extends keyof J & string>(name: K, input: J[K]['input']): Promise<J[K]['output']> {
    type Output = J[K]['output']
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Output>>()
    const timer = setTimeout(() => reject(new Error(`${name}: no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS)
    void this.#exited.then(() => reject(new Error(`${name}: a process of the bench has ended`)))
    this.#child.once('message', resolve)
    this.#child.send({ name, input })
    try {
      const answer = await promise
      if ('error' in answer) throw new Error(`${name}: ${answer.error}`)
      return answer.output
    } finally {
      clearTimeout(timer)
      this.#child.off('message', resolve)
    }
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await this.#exited
  }
}

/** The worker's side. It ends when the bench does. */
export function work<J extends Jobs<J>>(jobs: {
  readonly [K in keyof J]: (input: J[K]['input']) => J[K]['output'] | Promise<J[K]['output']>
}): void {
  const run = async ({ name, input }: { name: keyof J; input: J[keyof J]['input'] }) => jobs[name](input)
  const answer = (message: Answer<J[keyof J]['output']>) => process.send!(message)
  process.on('message', (job: Parameters<typeof run>[0]) => {
    run(job).then(
      (output) => answer({ output }),
      (error: unknown) => answer({ error: String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
}
