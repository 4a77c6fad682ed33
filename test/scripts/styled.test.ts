import { expect, test } from 'vitest'
import { styled } from '../../scripts/picture/styled.ts'

const ESC = '\u001B['

test.for([
  ['plain', [['plain', []]]],
  [
    `${ESC}32m✔${ESC}39m done`,
    [
      ['✔', ['green']],
      [' done', []],
    ],
  ],
  [
    `${ESC}1m${ESC}91mbad${ESC}22m thing${ESC}0m.`,
    [
      ['bad', ['bold', 'red']],
      [' thing', ['red']],
      ['.', []],
    ],
  ],
  [
    `${ESC}2;33mx${ESC}my`,
    [
      ['x', ['dim', 'yellow']],
      ['y', []],
    ],
  ],
] as const)('%j has the looks that a terminal gives it', ([line, pieces]) => {
  expect(styled(line).map(({ text, looks }) => [text, looks])).toEqual(pieces)
})
