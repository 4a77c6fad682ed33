import { parentPort, workerData } from 'node:worker_threads'
import type { Rest } from './rest.ts'
import { serveStore } from './store-server.ts'

// A worker thread has a parent port, and this file runs nowhere else.
const { folder, rest } = workerData as { folder: string; rest: Rest | undefined }
await serveStore(folder, parentPort!, rest)
