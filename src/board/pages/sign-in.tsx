import type { View } from '../layout.tsx';

/** Asks for an operator's key. */
export function SignIn({ view: { words }, problem }: { view: View; problem?: string | undefined }) {
  return (
    <form action="/board/sign-in" method="post" class="sign-in">
      <p>{words.signInHint}</p>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <label>
        {words.operatorKey}
        <input name="key" type="password" required autocomplete="current-password" />
      </label>
      <label>
        {words.yourName}
        <input name="actor" maxlength={100} autocomplete="username" />
      </label>
      <button>{words.signIn}</button>
    </form>
  );
}
