import type { Command } from '@oclif/core';
import { BaseCommand } from './base-command.js';
import { nearKeys, readText, tolerant, unknownKey } from './config/read.js';
import { changeConfig } from './config/write.js';
import {
  configPath,
  noConfig,
  originWord,
  Resolution,
  settingOf,
  type ConfigFile,
  type Setting,
} from './config/index.js';
import { UsageError } from './errors.js';
import { settings, type Settings } from './settings.js';

/** A command about the configuration itself: it works also where that is wrong, so that it can be mended. */
export abstract class ConfigCommand<T extends typeof Command> extends BaseCommand<T> {
  protected readonly file = configPath();

  protected override readConfig(path: string): ConfigFile {
    try {
      return super.readConfig(path);
    } catch {
      return noConfig(path);
    }
  }

  protected override settle(file: ConfigFile): Settings {
    try {
      return super.settle(file);
    } catch {
      return settings({}, {}, noConfig(file.path));
    }
  }

  /** What can be read of the file. @throws UsageError where it is not YAML */
  protected loose(): ConfigFile {
    const text = readText(this.file);
    return text === undefined ? noConfig(this.file) : tolerant(this.file, text);
  }

  protected change(change: (text: string) => string): void {
    changeConfig(this.file, change);
  }

  /** Says so when what was written does not count, because something before it says otherwise. */
  protected tellOverruled(setting: Setting, context: string | undefined): void {
    try {
      const all = new Resolution({ flags: { context }, env: process.env, file: this.loose() });
      const { origin } = all.of(setting.key as Parameters<Resolution['of']>[0]);
      const written = context === undefined ? 'file' : `context ${context}`;
      if (origin !== undefined && originWord(origin) !== written)
        this.note(`${originWord(origin)} says ${setting.key} too, and counts before it`);
    } catch {
      // The value is written; what else is wrong with the file is told by those who need it.
    }
  }
}

/** @throws UsageError with the keys that may have been meant */
export function settingNamed(key: string): Setting {
  const setting = settingOf(key);
  if (setting !== undefined) return setting;
  const near = nearKeys(key);
  throw new UsageError(unknownKey(key), near.length === 0 ? 'hyperctl config view --origin lists the keys' : undefined);
}
