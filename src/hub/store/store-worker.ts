import { parentPort, workerData } from 'node:worker_threads'
import { collectGarbage } from '../../runtime/v8-flags.ts'
import { serveStore } from './store-server.ts'

/** By then the hub has been told of all agents; in ms. */
const TIDY_AFTER_MS = 5000

setTimeout(collectGarbage, TIDY_AFTER_MS).unref()
// A worker thread has a parent port, and this file runs nowhere else.
await serveStore((workerData as { folder: string }).folder, parentPort!)
