import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certified {
  readonly privateKey: Buffer;
  readonly certificateChain: Buffer;
}

export interface Certificates {
  readonly authority: Buffer;
  readonly server: Certified;
  readonly client: Certified;
}

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return process.env['HOLDFAST_REQUIRE_ALL'] === '1';
  }
}

/** A throw-away authority, and a server on 127.0.0.1 and a client that it vouches for. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
  const openssl = (...args: string[]) =>
    void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  const certified = (name: string): Certified => {
    const [key, request, certificate] = [`${name}.key`, `${name}.csr`, `${name}.crt`];
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key);
    openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', request);
    openssl(
      ...['x509', '-req', '-in', request, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', '1', '-extfile', 'names', '-out', certificate],
    );
    const read = (file: string) => readFileSync(join(directory, file));
    return { privateKey: read(key), certificateChain: read(certificate) };
  };
  try {
    writeFileSync(join(directory, 'names'), 'subjectAltName=IP:127.0.0.1\n');
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
    openssl(
      ...['req', '-x509', '-new', '-key', 'ca.key', '-days', '1'],
      ...['-subj', '/CN=authority', '-out', 'ca.crt'],
    );
    const authority = readFileSync(join(directory, 'ca.crt'));
    return { authority, server: certified('server'), client: certified('client') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
