/** Small pieces that every view uses. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { visible } from "../../../supabase/functions/backup/visible_text.ts";
import type { Failure } from "./api.ts";

/** Text of other people: control characters and changes of direction are shown as escapes. */
export function Text({ of }: { of: string }) {
  return <bdi>{visible(of)}</bdi>;
}

/** SQL or a document: line breaks stay. */
export function Code({ of, label }: { of: string; label: string }) {
  const lines = of.split("\n").map(visible).join("\n");
  return <pre class="code" tabIndex={0} role="region" aria-label={label}>{lines}</pre>;
}

export function Problem({ of: { message, hint } }: { of: Failure }) {
  return (
    <div class="problem" role="alert">
      <strong>
        <Text of={message} />
      </strong>
      {hint && (
        <p>
          <Text of={hint} />
        </p>
      )}
    </div>
  );
}

export function Loading({ what = "Loading" }: { what?: string }) {
  return <p class="loading" role="status">{what}…</p>;
}

export function Chip({ kind, children }: { kind: string; children: ComponentChildren }) {
  return <span class={`chip ${kind}`}>{children}</span>;
}

export function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

/** A command to paste, with a button that copies it. */
export function Command({ of }: { of: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(of);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div class="command">
      <pre tabIndex={0} role="region" aria-label="Command">{of}</pre>
      <button type="button" onClick={copy}>{copied ? "Copied" : "Copy"}</button>
    </div>
  );
}

/** What is wider than its place scrolls by itself, also with the keyboard; `atEnd` shows its end first. */
export function Scroll(
  { label, atEnd, children }: { label: string; atEnd?: boolean; children: ComponentChildren },
) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (atEnd) place.current!.scrollLeft = place.current!.scrollWidth;
  }, []);
  return <div class="scroll" role="region" aria-label={label} tabIndex={0} ref={place}>{children}</div>;
}

export function Title({ children, note }: { children: ComponentChildren; note?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Who listens to a screen reader hears the view that came.
  useEffect(() => {
    document.title = `${heading.current!.textContent} · Supabase Backup`;
    heading.current!.focus({ preventScroll: true });
  }, []);
  return (
    <div class="title">
      <h1 ref={heading} tabIndex={-1}>{children}</h1>
      {note && <p>{note}</p>}
    </div>
  );
}

/** The state of something that is asked for when `load` changes. */
export function useAsked<T>(load: (signal: AbortSignal) => Promise<T>, causes: unknown[]): {
  value: T | null;
  error: Failure | null;
} {
  const [state, setState] = useState<{ value: T | null; error: Failure | null }>({
    value: null,
    error: null,
  });
  useEffect(() => {
    const leaving = new AbortController();
    setState({ value: null, error: null });
    load(leaving.signal).then(
      (value) => leaving.signal.aborted || setState({ value, error: null }),
      (error) => leaving.signal.aborted || setState({ value: null, error }),
    );
    return () => leaving.abort();
  }, causes);
  return state;
}
