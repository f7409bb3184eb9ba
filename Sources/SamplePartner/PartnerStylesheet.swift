/// The partner's style sheet, served at `/partner.css`: another company than the authorization server, so another look.
let partnerStylesheet = """
    :root {
      color-scheme: light dark;
      --ground: #f3f7f6; --card: #ffffff; --ink: #10211f; --soft: #4c605d; --line: #d5e0de;
      --accent: #0b6b5d; --accent-strong: #085146; --on-accent: #ffffff;
      --good: #14633a; --good-ground: #e4f4ea; --bad: #97201c; --bad-ground: #fdecea; --open: #7a4b00; --open-ground: #fdf1da;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #0c1413; --card: #14201e; --ink: #e8f1ef; --soft: #a3b7b3; --line: #2a3a37;
        --accent: #5fd3bf; --accent-strong: #86e2d2; --on-accent: #06201c;
        --good: #86dba8; --good-ground: #12291d; --bad: #ffb4ab; --bad-ground: #341715; --open: #f3cd86; --open-ground: #33260d;
      }
    }
    *, *::before, *::after { box-sizing: border-box; }
    body {
      margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink);
      font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
      overflow-wrap: anywhere; display: flex; flex-direction: column;
    }
    header, main, footer { width: 100%; max-width: 46rem; margin: 0 auto; padding: 0 1.25rem; }
    header { padding-top: 1.5rem; }
    header a { display: inline-flex; gap: .6rem; align-items: center; color: var(--ink); font-weight: 650; text-decoration: none; }
    .mark {
      width: 1.5rem; height: 1.5rem; border-radius: .45rem;
      background: linear-gradient(135deg, var(--accent) 50%, var(--accent-strong) 50%);
    }
    main { flex: 1; padding-top: 1.5rem; padding-bottom: 3rem; }
    footer { padding-bottom: 2rem; color: var(--soft); font-size: .875rem; }
    h1 { font-size: clamp(1.75rem, 1.2rem + 2.6vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; margin: 0 0 1rem; text-wrap: balance; }
    h2 { font-size: 1.15rem; margin: 0 0 .4rem; }
    h3 { font-size: 1rem; margin: 0; }
    p { margin: 0 0 1rem; }
    small { color: var(--soft); font-size: .875rem; }
    code, pre { font: .875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
    pre { white-space: pre-wrap; background: var(--bad-ground); color: var(--bad); padding: .8rem 1rem; border-radius: .6rem; margin: 0 0 1rem; }
    a { color: var(--accent); }
    a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .4rem; }
    .hero { padding: clamp(1.5rem, 5vw, 4rem) 0 2rem; max-width: 36rem; }
    .lead { font-size: 1.125rem; color: var(--soft); }
    .button, button {
      display: inline-block; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0;
      border-radius: .7rem; padding: .8rem 1.4rem; min-height: 2.75rem; text-decoration: none; cursor: pointer;
    }
    .button:hover, button:hover { background: var(--accent-strong); }
    button.small { padding: .4rem 1rem; }
    .quiet { display: inline-block; padding: .6rem 0; }
    .button + .quiet { margin-left: 1rem; }
    .steps ol { list-style: none; counter-reset: step; margin: 0 0 2rem; padding: 0; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); }
    .steps li, .card { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 1.25rem; }
    .steps li { counter-increment: step; }
    .steps li::before { content: counter(step); color: var(--accent); font-weight: 700; }
    .steps p { margin: 0; color: var(--soft); }
    .card { margin-bottom: 1rem; }
    .technical { color: var(--soft); }
    summary { cursor: pointer; padding: .3rem 0; }
    dl { margin: 0; display: grid; gap: .2rem 1.25rem; grid-template-columns: minmax(8rem, max-content) 1fr; }
    dt { color: var(--soft); padding-top: .3rem; }
    dd { margin: 0; padding-top: .3rem; min-width: 0; }
    dd small { display: block; }
    .secret summary { padding: 0; }
    .secret summary span { color: var(--accent); text-decoration: underline; font-size: .875rem; }
    .secret[open] .more, .secret:not([open]) .less { display: none; }
    .locks { list-style: none; margin: 0; padding: 0; }
    .locks li { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; border-top: 1px solid var(--line); padding: .9rem 0; }
    .locks li > div { flex: 1 1 14rem; }
    .locks p { margin: 0; }
    .locks div p { color: var(--soft); font-size: .9rem; }
    .locks div small { display: block; }
    .state { border-radius: 1rem; padding: .15rem .75rem; font-size: .875rem; font-weight: 600; }
    .locked { background: var(--good-ground); color: var(--good); }
    .unlocked { background: var(--open-ground); color: var(--open); }
    .notice { border-radius: .7rem; padding: .8rem 1rem; margin: 1rem 0; }
    .notice.good { background: var(--good-ground); color: var(--good); }
    .notice.bad { background: var(--bad-ground); color: var(--bad); }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
    th { overflow-wrap: normal; color: var(--soft); font-weight: 600; font-size: .875rem; }
    td.good { color: var(--good); }
    td.bad { color: var(--bad); font-weight: 700; }
    @media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dt { padding-top: .6rem; } }

    """
