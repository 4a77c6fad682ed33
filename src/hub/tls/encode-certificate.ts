import { createHash, createPublicKey, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** What a certificate says. */
export interface Contents {
  readonly commonName: string
  readonly publicKey: KeyObject
  readonly validFrom: Date
  readonly validTo: Date
  /** Host names and addresses of a server; without them it is an authority, which may sign no other. */
  readonly names?: readonly string[]
}

/** Who signs. */
export interface Signer {
  /** On P-256. */
  readonly key: KeyObject
  /** None if the certificate signs itself. */
  readonly certificate?: X509Certificate
}

const COMMON_NAME = '2.5.4.3'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'

/** Makes a certificate as RFC 5280 §4 has it. */
export async function encodeCertificate(contents: Contents, signer: Signer): Promise<X509Certificate> {
  // Some 40 ms and 10 MB, for what a hub does once in two months.
  const [{ AsnConvert, OctetString }, x509] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
  ])
  const { commonName, publicKey, names } = contents
  const value = new x509.AttributeValue({ utf8String: commonName })
  const subject = new x509.Name([
    new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: COMMON_NAME, value })]),
  ])
  const issuer =
    signer.certificate && AsnConvert.parse(signer.certificate.raw, x509.Certificate).tbsCertificate.subject
  const extension = (extnID: string, content: object, critical = false) => {
    const extnValue = new OctetString(AsnConvert.serialize(content))
    return new x509.Extension({ extnID, critical, extnValue })
  }
  const constraints = names ? {} : { cA: true, pathLenConstraint: 0 }
  const usage = names ? x509.KeyUsageFlags.digitalSignature : x509.KeyUsageFlags.keyCertSign
  const generalNames = names?.map(
    (name) => new x509.GeneralName(isIP(name) ? { iPAddress: name } : { dNSName: name }),
  )
  const ofServers = generalNames && [
    extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])),
    extension(x509.id_ce_subjectAltName, new x509.SubjectAlternativeName(generalNames)),
  ]
  const keyIdentifier = new x509.KeyIdentifier(keyIdOf(createPublicKey(signer.key)))
  const signature = new x509.AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: serialNumber(),
    signature,
    issuer: issuer ?? subject,
    validity: new x509.Validity({ notBefore: contents.validFrom, notAfter: contents.validTo }),
    subject,
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(publicKey), x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints(constraints), true),
      extension(x509.id_ce_keyUsage, new x509.KeyUsage(usage), true),
      ...(ofServers ?? []),
      extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(keyIdOf(publicKey))),
      extension(x509.id_ce_authorityKeyIdentifier, new x509.AuthorityKeyIdentifier({ keyIdentifier })),
    ]),
  })
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), signer.key)
  const certificate = new x509.Certificate({
    tbsCertificate,
    signatureAlgorithm: signature,
    signatureValue: bytesOf(signatureValue),
  })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)))
}

/** Tells one key from others: 160 bits of the SHA-256 of it and its type, much as RFC 7093 §2 has it. */
export function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash('sha256').update(spkiOf(publicKey)).digest().subarray(0, 20)
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** Nobody can guess it, and it is a positive number of always the same length (RFC 5280 §4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytesOf(bytes)
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer
}
