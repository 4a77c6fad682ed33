import { expect, test } from 'vitest'
import { ourWordsFor } from '../../../src/cli/argv/other-programs.ts'

test.for([
  ['frp', '-c frpc.toml', 'expose PORT --name NAME'],
  ['frp', 'tcp --local_port 22', 'expose 22 --name NAME'],
  ['cloudflared', 'tunnel --url http://localhost:8080', 'expose localhost:8080 --name NAME'],
  ['cloudflared', 'tunnel --url=http://localhost:8080/x', 'expose localhost:8080 --name NAME'],
  ['cloudflared', 'tunnel run web', 'daemon start'],
  ['cloudflared', 'tunnel create web', 'expose PORT --name NAME'],
  ['cloudflared', 'access tcp --hostname db.example.com --url localhost:5432', 'reach NAME --port 5432'],
  ['cloudflared', 'access tcp --hostname db.example.com', 'reach NAME'],
  ['cloudflared', 'access ssh --hostname dev.example.com', 'ssh NAME'],
  ['ngrok', 'tcp 5432', 'expose 5432 --name NAME'],
  ['ngrok', 'http 8080', 'expose 8080 --name NAME'],
  ['ngrok', 'http 10.0.0.7:8080', 'expose 10.0.0.7:8080 --name NAME'],
  ['ngrok', 'authtoken secret', 'login'],
  ['Tailscale', 'serve 3000', 'expose 3000 --name NAME'],
  ['Tailscale', 'funnel --bg 3000', 'expose 3000 --name NAME'],
  ['Tailscale', 'ping db-server', 'services'],
  ['Tailscale', 'ip', 'whoami'],
  ['Tailscale', 'down', 'daemon stop'],
  ['chisel', 'server --port 8080', 'hub'],
  ['chisel', 'client https://hub.example.com 3000', 'reach NAME'],
  ['bore', 'local 5432 --to bore.pub', 'expose 5432 --name NAME'],
  ['localtunnel', '--port 8000', 'expose 8000 --name NAME'],
  ['localtunnel', '--port=8000', 'expose 8000 --name NAME'],
  ['pm2', 'list', 'services'],
  ['pm2', 'save', 'daemon install'],
  ['pm2', 'startup', 'daemon install'],
  ['ssh', '-R 8080:localhost:3000 host', 'expose localhost:3000 --name NAME'],
  ['ssh', '-R8080:localhost:3000 host', 'expose localhost:3000 --name NAME'],
  ['ssh', '-L 15432:db:5432 host', 'reach NAME --port 15432'],
  ['kubectl', 'forward postgres', 'reach postgres'],
  ['Compose', 'hub up', 'hub start'],
  ['Compose', 'hub down', 'hub stop'],
  ['Tailscale', 'hub invite', 'hub token create --invite'],
  ['pm2', 'daemon delete', 'daemon uninstall'],
  ['pm2', 'hub reload', 'hub restart'],
  ['systemctl', 'daemon enable', 'daemon install'],
  ['kubectl', 'hub tokens', 'hub token list'],
  ['git', 'init', 'status'],
  ['docker', 'publish 8080:80', 'expose 80 --name NAME'],
] as const)('%s: %s is %s', ([, typed, ours]) => {
  expect(ourWordsFor(typed.split(' '))).toBe(ours)
})

test('what is no port is not put in for one', () => {
  for (const typed of ['tcp 0', 'tcp 65536', 'tcp 5432x', 'tcp -5432', 'tcp $(id):22x'])
    expect(ourWordsFor(typed.split(' ')), typed).toBe('expose PORT --name NAME')
  expect(ourWordsFor(['share', '$(id):22'])).toBe('expose 22 --name NAME')
  expect(ourWordsFor(['forward', '$(id)', 'A b'])).toBe('reach NAME')
})

test('what no program calls anything is not guessed at', () => {
  for (const typed of [
    [],
    ['frobnicate'],
    ['constructor'],
    ['__proto__', '80'],
    ['hub'],
    ['hub', 'constructor'],
    ['daemon'],
    ['daemon', 'constructor'],
  ])
    expect(ourWordsFor(typed)).toBeUndefined()
})
