/** Whether another node lives. Its answer cannot be read from here, and need not be: that there is one is all. */
import { after } from './timers.js';

const LIMIT_MS = 3_000;

/** True where a node answers at `url`, such as `http://192.168.1.7:8080`. */
export async function answers(url: string): Promise<boolean> {
  const controller = new AbortController();
  const cancel = after(LIMIT_MS, () => controller.abort());
  try {
    await fetch(`${url}/healthz`, { mode: 'no-cors', cache: 'no-store', signal: controller.signal });
    return true;
  } catch {
    return false;
  } finally {
    cancel();
  }
}
