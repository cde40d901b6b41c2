// The script of the thread that runs ONNX models: an entry of the build, `dist/workers/onnx.js`.
import { parentPort } from 'node:worker_threads';
import { isRagError, messageOf } from '../../core/errors.js';
import { rankTexts } from '../rerankers/onnx-ranking.js';
import { embedTexts } from './onnx-embedding.js';
import { type OnnxModel, openOnnxModel } from './onnx-session.js';
import type { OnnxAnswer, OnnxTask } from './onnx-thread.js';

/** A thread serves one model. */
let opening: Promise<OnnxModel> | undefined;

parentPort?.on('message', async (task: OnnxTask) => {
  const answer = await perform(task);
  const transfer =
    'vectors' in answer ? answer.vectors.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])) : [];
  parentPort?.postMessage(answer, transfer);
});

async function perform({ model: options, work }: OnnxTask): Promise<OnnxAnswer> {
  try {
    opening ??= openOnnxModel(options);
    const model = await opening;
    switch (work.kind) {
      case 'embed':
        return { vectors: await embedTexts(model, work.texts, work.pooling) };
      case 'rank':
        return { scores: await rankTexts(model, work.query, work.texts) };
    }
  } catch (error) {
    const { code, retryable } = isRagError(error) ? error : { code: 'UPSTREAM_FAILED' as const, retryable: false };
    return { error: { code, retryable, message: isRagError(error) ? error.message : `onnx: ${messageOf(error)}` } };
  }
}
