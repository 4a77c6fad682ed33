#!/usr/bin/env node
// Runs src/ as it is, by Node's type stripping: no build. Not part of the package.
import { start } from '../src/start.ts'

start(process.argv.slice(2), { development: true })
