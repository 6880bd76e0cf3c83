/**
 * The scripted executor of the conformance suite: STARTING and RUNNING for each task, echoes messages,
 * KILLED for KILL and SHUTDOWN. `SCRIPT_REPORT` names a file that gets one line of JSON for its environment and
 * each event; `SCRIPT_ENCODING` chooses the encoding.
 */
import { appendFileSync } from 'node:fs';
import type { Encoding, ExecutorEvent, TaskId } from '@mesos-elasticsearch/mesos-v1';
import { AgentClient } from '../command-executor/agent-client.ts';

const reportPath = process.env.SCRIPT_REPORT;
const encoding = (process.env.SCRIPT_ENCODING ?? 'application/json') as Encoding;
const tasks = new Set<TaskId>();

function report(line: unknown): void {
  if (reportPath !== undefined) appendFileSync(reportPath, `${JSON.stringify(line)}\n`);
}

function take(event: ExecutorEvent): void {
  report({ event: event.type });
  switch (event.type) {
    case 'LAUNCH': {
      const { taskId } = event.launch.task;
      tasks.add(taskId);
      client.update({ taskId, state: 'TASK_STARTING' });
      client.update({ taskId, state: 'TASK_RUNNING', healthy: true, data: Buffer.from('hello') });
      return;
    }
    case 'MESSAGE':
      client.message(event.message.data);
      return;
    case 'KILL':
      end(event.kill.taskId);
      return;
    case 'SHUTDOWN':
      for (const taskId of tasks) end(taskId);
      setTimeout(() => process.exit(0), 300);
      return;
    default:
      return;
  }
}

function end(taskId: TaskId): void {
  tasks.delete(taskId);
  client.update({ taskId, state: 'TASK_KILLED' });
}

const client = new AgentClient(process.env, { event: take, abandoned: () => process.exit(1) }, encoding);
report({ environment: process.env, directory: process.cwd() });
client.subscribe();
