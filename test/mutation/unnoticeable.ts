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
    file: 'src/process/identity.ts',
    code: "if (['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '')) return undefined",
    change: `'' → "Stryker was here!"`,
    why: 'it stands for any text that is no code',
  },
  {
    file: 'src/process/identity.ts',
    code: "return state === 'Z' || state === 'X' ? undefined : fields[19]",
    change: "state === 'X' → false",
    why: 'a process is in that state for no time at all (proc(5))',
  },
  {
    file: 'src/process/identity.ts',
    code: "return state === 'Z' || state === 'X' ? undefined : fields[19]",
    change: `'X' → ""`,
    why: 'a process is in that state for no time at all (proc(5))',
  },
  {
    file: 'src/process/identity.ts',
    code: "stdio: ['ignore', 'pipe', 'ignore'],",
    change: "['ignore', 'pipe', 'ignore'] → []",
    why: 'what ps says on stderr would go to that of the agent, outside of the process of the test',
  },
  {
    file: 'src/process/identity.ts',
    code: "stdio: ['ignore', 'pipe', 'ignore'],",
    change: `'ignore' → ""`,
    why: 'to Node.js no text is a pipe of its own; ps reads nothing, and what it says there is not read',
  },
  {
    file: 'src/process/identity.ts',
    code: String.raw`const [, state = 'Z', startTime = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []`,
    change: `'Z' → ""`,
    why: 'without a match there is no state and no start, and either is enough',
  },
  {
    file: 'src/process/identity.ts',
    code: String.raw`const [, state = 'Z', startTime = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []`,
    change: `'' → "Stryker was here!"`,
    why: 'without a match there is no state and no start, and either is enough',
  },
  {
    file: 'src/process/identity.ts',
    code: String.raw`const [, state = 'Z', startTime = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []`,
    change: '[] → ["Stryker was here"]',
    why: 'its first entry, the whole match, is not looked at',
  },
  {
    file: 'src/process/identity.ts',
    code: String.raw`const [, state = 'Z', startTime = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []`,
    change: String.raw`/^(\S+)\s+(.*)$/ → /(\S+)\s+(.*)$/`,
    why: 'the line is trimmed, so it begins with what is no blank',
  },
  {
    file: 'src/process/identity.ts',
    code: String.raw`const [, state = 'Z', startTime = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []`,
    change: String.raw`/^(\S+)\s+(.*)$/ → /^(\S+)\s+(.*)/`,
    why: 'it is one line',
  },
  {
    file: 'src/process/identity.ts',
    code: "return state.startsWith('Z') || startTime === '' ? undefined : startTime",
    change: "startTime === '' → false",
    why: 'without a match there is no state and no start, and either is enough',
  },
  {
    file: 'src/process/identity.ts',
    code: "return state.startsWith('Z') || startTime === '' ? undefined : startTime",
    change: `'' → "Stryker was here!"`,
    why: 'without a match there is no state and no start, and either is enough',
  },
  {
    file: 'src/process/identity.ts',
    code: "if (error instanceof Error && 'status' in error && error.status === 1) return undefined",
    change: "error instanceof Error && 'status' in error → true",
    why: 'what execFileSync throws is an error; the look at it is for the compiler',
  },
  {
    file: 'src/process/identity.ts',
    code: "if (error instanceof Error && 'status' in error && error.status === 1) return undefined",
    change: "error instanceof Error && 'status' in error → error instanceof Error || 'status' in error",
    why: 'what execFileSync throws is an error; the look at it is for the compiler',
  },
  {
    file: 'src/process/identity.ts',
    code: "return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], options).trim()",
    change:
      "execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], options).trim() → execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], options)",
    why: 'only a Mac has an answer to trim; with the line end it would still be compared with itself',
  },
  {
    file: 'src/process/terminate.ts',
    code: 'const none = () => (killOrphans(target.pid) === 0 ? true : undefined)',
    change: 'true → false',
    why: 'any answer but undefined ends the wait, and nobody looks at it',
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
