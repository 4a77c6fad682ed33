import { afterEach, expect, test } from 'vitest'
import { serveStream } from '../../src/agent/serve-stream.ts'
import type { ExposedService } from '../../src/config/services.ts'
import type { Stream } from '../../src/tunnel/stream/stream.ts'
import { serveTcp, type TestServer } from '../helpers/servers.ts'

const FLOOD = 500

let target: TestServer | undefined
afterEach(() => target?.close())

/** A stream that another agent opens, and breaks at once if it is dialled. */
function openedBy(from: string, service: string): Stream {
  const stream = {
    service,
    from,
    shortId: 'a1b2c3d4',
    refuse() {},
    onReset: (broken: () => void) => broken(),
  }
  return stream as unknown as Stream
}

test('a machine that opens connections without end does not fill the log, and silences no other', async () => {
  target = await serveTcp((socket) => socket.destroy())
  const echo: ExposedService = { name: 'echo', host: 'localhost', port: target.port }
  const lines: string[] = []
  const open = (from: string, service: string) =>
    serveStream(openedBy(from, service), new Map([['echo', echo]]), (line) => lines.push(line))
  for (let n = 0; n < FLOOD; n++) {
    open('agent_flooding', 'echo')
    open('agent_flooding', 'gone')
  }
  const dialing = `Dialing localhost:${target.port} for connection a1b2c3d4...`
  expect(lines.filter((line) => line === dialing).length).toBeLessThanOrEqual(60)
  expect(lines.length).toBeLessThanOrEqual(120)
  const before = lines.length
  open('agent_other', 'echo')
  expect(lines.slice(before)).toEqual([dialing])
})
