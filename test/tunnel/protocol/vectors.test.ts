import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import {
  encodeCtrl,
  encodeFin,
  encodeGoaway,
  encodeOpen,
  encodeOpenErr,
  encodeOpenOk,
  encodePing,
  encodePong,
  encodeRst,
  encodeResume,
  encodeResumed,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import { FrameError, TYPE } from '../../../src/tunnel/protocol/frames.ts'
import type { PublicKey } from '../../../src/tunnel/protocol/handshake.ts'
import { SUBPROTOCOL } from '../../../src/tunnel/protocol/limits.ts'
import { root } from '../../helpers/cli.ts'
import { decodeWhole, encodeData, type WholeFrame } from '../helpers/whole-frames.ts'

interface Vectors {
  protocol: string
  /** One way to write each, and to read it. */
  frames: Vector[]
  /** Other ways to write a frame, which are read but not written. */
  variants: Vector[]
  refused: { name: string; hex: string }[]
  agents: { name: string; key: PublicKey; agent: string }[]
}

interface Vector {
  name: string
  hex: string
  /** Bytes are hex here, and tokens decimal. */
  frame: Record<string, unknown>
}

const vectors = JSON.parse(
  readFileSync(path.join(root, 'test', 'fixtures', 'protocol-vectors.json'), 'utf8'),
) as Vectors

function bytesOf({ hex }: { hex: string }): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

/** A frame as the vectors show it. */
function shown(frame: WholeFrame): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(frame).map(([name, value]: [string, unknown]) => [
      name,
      Buffer.isBuffer(value) ? value.toString('hex') : typeof value === 'bigint' ? String(value) : value,
    ]),
  )
}

function encode(frame: WholeFrame): Buffer {
  switch (frame.type) {
    case 'open': {
      const { stream, key, limit, service, from, hops, named } = frame
      return encodeOpen(stream, key, limit, service, { from, hops, named })
    }
    case 'openOk': {
      return encodeOpenOk(frame.stream, frame.limit)
    }
    case 'openErr': {
      return encodeOpenErr(frame.stream, frame.code, frame.message)
    }
    case 'data': {
      return encodeData(frame.stream, frame.payload, frame.blocked)
    }
    case 'window': {
      return encodeWindow(frame.stream, frame.consumed, frame.limit)
    }
    case 'fin': {
      return encodeFin(frame.stream, frame.offset)
    }
    case 'rst': {
      return encodeRst(frame.stream, frame.code, frame.message)
    }
    case 'resume': {
      const { stream, key, position, service, from, hops, named } = frame
      return encodeResume(stream, key, position, service, { from, hops, named })
    }
    case 'resumed': {
      return encodeResumed(frame.stream, frame.position)
    }
    case 'ping': {
      return encodePing(frame.token)
    }
    case 'pong': {
      return encodePong(frame.token)
    }
    case 'goaway': {
      return encodeGoaway(frame.code, frame.afterMs, frame.message)
    }
    case 'ctrl': {
      return encodeCtrl(frame.message)
    }
    case 'skipped': {
      break
    }
  }
  throw new Error('nobody sends these')
}

/** A vector's frame as the program has it. */
function parsed({ frame }: Vector): WholeFrame {
  return Object.fromEntries(
    Object.entries(frame).map(([name, value]) => [
      name,
      name === 'key' || name === 'payload'
        ? Buffer.from(String(value), 'hex')
        : name === 'token'
          ? BigInt(String(value))
          : value,
    ]),
  ) as unknown as WholeFrame
}

test.each(vectors.frames)(
  '$name: the bytes are read as the frame, and the frame is written as the bytes',
  (vector) => {
    expect(shown(decodeWhole(bytesOf(vector)))).toEqual(vector.frame)
    expect(encode(parsed(vector)).toString('hex')).toBe(bytesOf(vector).toString('hex'))
  },
)

test.each(vectors.variants)('$name', (vector) => {
  expect(shown(decodeWhole(bytesOf(vector)))).toEqual(vector.frame)
})

test.each(vectors.refused)('$name is refused', (vector) => {
  expect(() => decodeWhole(bytesOf(vector))).toThrow(FrameError)
})

test.each(vectors.agents)('an agent is named for its key: $name', ({ key, agent }) => {
  expect(agentIdOf(key)).toBe(agent)
})

test('there is a vector for every type of frame, and they are of this version', () => {
  const types = new Set(vectors.frames.map((vector) => bytesOf(vector)[0]))
  expect(types).toEqual(new Set(Object.values(TYPE)))
  expect(vectors.protocol).toBe(SUBPROTOCOL)
})
