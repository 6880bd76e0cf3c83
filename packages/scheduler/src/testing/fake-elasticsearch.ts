/** A cluster as the scheduler hears of it: healthy, unless a test says otherwise. */
import type { ElasticsearchOutcome, ElasticsearchQuestion, HealthReading } from '../core/migration/health.ts';

export class FakeElasticsearch {
  health: Omit<HealthReading, 'allocation'> = {
    status: 'green',
    dataNodes: 10,
    relocatingShards: 0,
    initializingShards: 0,
    delayedShards: 0,
    pendingTasks: 0,
  };
  /** The persistent setting; null: not set. */
  allocation: string | null = null;
  silent = false;
  readonly questions: ElasticsearchQuestion[] = [];

  answer(question: ElasticsearchQuestion): ElasticsearchOutcome {
    this.questions.push(question);
    if (this.silent) return { kind: 'failed', message: 'no node answers (fake)' };
    switch (question.kind) {
      case 'health':
        return { kind: 'health', health: { ...this.health, allocation: this.allocation } };
      case 'restrict-allocation':
        this.allocation = 'primaries';
        return { kind: 'allocation-set' };
      case 'restore-allocation':
        this.allocation = question.value;
        return { kind: 'allocation-set' };
    }
  }
}
