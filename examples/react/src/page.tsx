// Notes that all pages share.
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { type Note, textCharsMax } from './events';
import { useConnection, useEvent } from './hooks';
import { socket } from './socket';

function Notes() {
  const isConnected = useConnection();
  const [notes, setNotes] = useState<readonly Note[]>([]);
  useEvent('note', (note) => setNotes((notes) => [...notes, note]));
  // A new session is told all of them; one that goes on, what it has missed.
  useEvent('connect', ({ recovered }) => {
    if (!recovered) setNotes([]);
  });

  // Without a reply it waits for as long as the page is offline.
  const add = (form: FormData): void => socket.emit('note:add', String(form.get('text')));

  return (
    <main>
      <p role="status">{isConnected ? 'Connected' : 'Offline: what you add is sent later'}</p>
      <form action={add}>
        <input name="text" aria-label="A note" required maxLength={textCharsMax} autoComplete="off" />
        <button type="submit">Add</button>
      </form>
      <ul>
        {notes.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </main>
  );
}

function Page() {
  const [isShown, setShown] = useState(true);
  return (
    <>
      <button type="button" onClick={() => setShown(!isShown)}>
        {isShown ? 'Hide' : 'Show'}
      </button>
      {isShown && <Notes />}
    </>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
