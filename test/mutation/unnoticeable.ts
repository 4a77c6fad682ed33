import type { Unnoticeable } from './mutant.ts'

/** Looked at, one by one: why no test notices it. `change` is what a run prints. */
export const UNNOTICEABLE: readonly Unnoticeable[] = [
  {
    file: 'src/files/lock.ts',
    code: 'const database = new DatabaseSync(file, { timeout: 0 })',
    change: '{ timeout: 0 } → {}',
    why: 'Node.js has the same default; it stands there since all depends on it',
  },
  {
    file: 'src/files/lock.ts',
    code: 'const database = new DatabaseSync(file, { readOnly: true, timeout: 0 })',
    change: '{ readOnly: true, timeout: 0 } → {}',
    why: 'SQLite opens a file that it may not write to for reading by itself, and reading writes nothing',
  },
  {
    file: 'src/files/lock.ts',
    code: 'const database = new DatabaseSync(file, { readOnly: true, timeout: 0 })',
    change: 'true → false',
    why: 'SQLite opens a file that it may not write to for reading by itself, and reading writes nothing',
  },
  {
    file: 'src/process/agent-record.ts',
    code: 'if (text === undefined) return undefined',
    change: 'text === undefined → false',
    why: 'what is not there makes no sense either, and the answer to both is the same',
  },
  {
    file: 'src/process/agent-record.ts',
    code: '} catch {',
    change: '{ return undefined } → {}',
    why: 'a function that ends returns undefined; the compiler wants it said',
  },
  {
    file: 'src/process/agent-record.ts',
    code: 'if (!self) throw new Error(`process ${process.pid} cannot find itself`)',
    change: '!self → false',
    why: 'a process that runs always finds itself; the line is for the compiler',
  },
  {
    file: 'src/process/agent-record.ts',
    code: 'if (!self) throw new Error(`process ${process.pid} cannot find itself`)',
    change: '`process ${process.pid} cannot find itself` → ``',
    why: 'a process that runs always finds itself; the line is for the compiler',
  },
  {
    file: 'src/process/agent-record.ts',
    code: "return readFileSync(file, 'utf8')",
    change: `'utf8' → ""`,
    why: 'JSON.parse makes text of bytes by itself, as UTF-8',
  },
  {
    file: 'src/tunnel/receive-window.ts',
    code: 'if (blocked || this.#blockedAt !== undefined) this.#noteWait(blocked, now ?? performance.now())',
    change: 'blocked || this.#blockedAt !== undefined → true',
    why: 'without a wait there is nothing to note; the condition only spares a look at the clock',
  },
  {
    file: 'src/tunnel/receive-window.ts',
    code: 'if (this.#blockedAt !== undefined && now - this.#blockedAt > GROW_AFTER_MS) this.#isTooSmall = true',
    change: 'this.#blockedAt !== undefined → true',
    why: 'NaN is never greater; the comparison is for the compiler',
  },
  {
    file: 'src/tunnel/receive-window.ts',
    code: 'if (keepsUp && size > this.#size && this.#budget?.take(size - this.#size)) this.#size = size',
    change: 'size > this.#size → size >= this.#size',
    why: 'taking nothing from the budget and growing by nothing is not to grow',
  },
]
