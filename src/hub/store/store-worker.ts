import { parentPort, workerData } from 'node:worker_threads'
import { serveStore } from './store-server.ts'

// There is one in a worker thread, and this runs nowhere else.
await serveStore((workerData as { folder: string }).folder, parentPort!)
