import { parentPort, workerData } from 'node:worker_threads'
import { serveStore } from './store-server.ts'

// A worker thread has a parent port, and this file runs nowhere else.
await serveStore((workerData as { folder: string }).folder, parentPort!)
