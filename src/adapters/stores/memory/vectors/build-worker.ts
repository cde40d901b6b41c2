// The script of the thread that builds graphs: an entry of the build, `dist/workers/graph.js`.
import { parentPort } from 'node:worker_threads';
import { type BuildTask, runBuildTask } from './build-task.js';

parentPort?.on('message', async (task: BuildTask) => {
  const built = await runBuildTask(task);
  parentPort?.postMessage(
    built,
    [...built.ranges, built.upper].map(({ buffer }) => buffer),
  );
});
