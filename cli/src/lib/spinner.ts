import { liveLine } from './live-line.js';

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 125;

/** Shows on a terminal that something goes on, while it does; `text` is asked for at each frame. */
export async function withSpinner<T>(
  stream: NodeJS.WriteStream,
  quiet: boolean,
  text: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const line = liveLine(stream, quiet);
  let frame = 0;
  const draw = (): void => {
    line.set(`${FRAMES[frame % FRAMES.length]} ${text()}`);
    frame += 1;
  };
  draw();
  const timer = setInterval(draw, FRAME_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    line.clear();
  }
}
