package http_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a Chromium that the tests drive over a pipe, in the words of the DevTools
// protocol. All tests share one; each has a window with a profile of its own.
type browser struct {
	cmd     *exec.Cmd
	profile string

	mu      sync.Mutex // guards what follows, and writes
	in      io.WriteCloser
	last    int
	waiting map[int]chan reply
	windows map[string]*window // by session
	failed  error
}

// reply is an answer of the browser, or something that happened in a window.
type reply struct {
	ID      int             `json:"id"`
	Session string          `json:"sessionId"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// shared is the browser of all tests, which TestMain stops.
var shared struct {
	sync.Mutex
	b   *browser
	err error
}

// theBrowser starts the browser for the first test that needs it. FAIRFACTOR_TESTS=bare,
// as in make check, leaves these tests out.
func theBrowser(t *testing.T) *browser {
	t.Helper()
	if os.Getenv("FAIRFACTOR_TESTS") == "bare" {
		t.Skip("needs a browser: make test runs it")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.b == nil && shared.err == nil {
		shared.b, shared.err = startBrowser()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.b
}

func stopBrowser() {
	shared.Lock()
	defer shared.Unlock()
	if shared.b != nil {
		shared.b.stop()
	}
}

func startBrowser() (*browser, error) {
	path, err := findBrowser()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		return nil, err
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	b := &browser{profile: profile, in: in, waiting: map[int]chan reply{}, windows: map[string]*window{}}
	b.cmd = exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
		"--disable-backgrounding-occluded-windows", "--user-data-dir="+profile, "--remote-debugging-pipe")
	b.cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4, as the browser expects
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	theirIn.Close()
	theirOut.Close()
	go b.listen(out)
	return b, nil
}

func findBrowser() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no browser found to test the page with: install the Debian package chromium")
}

// stop ends the browser, which does so when its pipe closes.
func (b *browser) stop() {
	b.in.Close()
	ended := time.AfterFunc(20*time.Second, func() { _ = b.cmd.Process.Kill() })
	_ = b.cmd.Wait()
	ended.Stop()
	for range 20 { // a last process of it may still be writing there
		if os.RemoveAll(b.profile) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// listen hands on what the browser says until it ends.
func (b *browser) listen(out io.Reader) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadBytes(0)
		var m reply
		if err == nil {
			err = json.Unmarshal(line[:len(line)-1], &m)
		}
		b.mu.Lock()
		if err != nil {
			b.failed = fmt.Errorf("the browser has gone: %w", err)
			for _, w := range b.waiting {
				close(w)
			}
			b.waiting = map[int]chan reply{}
			b.mu.Unlock()
			return
		}
		if w := b.waiting[m.ID]; m.ID > 0 && w != nil {
			delete(b.waiting, m.ID)
			w <- m
		} else if window := b.windows[m.Session]; window != nil {
			window.happened(m)
		}
		b.mu.Unlock()
	}
}

// call has the browser do something, and decodes what it answers into result.
func (b *browser) call(session, method string, params, result any) error {
	b.mu.Lock()
	if b.failed != nil {
		defer b.mu.Unlock()
		return b.failed
	}
	b.last++
	answer := make(chan reply, 1)
	b.waiting[b.last] = answer
	text, err := json.Marshal(map[string]any{"id": b.last, "method": method, "params": params, "sessionId": session})
	if err == nil && session == "" {
		text, err = json.Marshal(map[string]any{"id": b.last, "method": method, "params": params})
	}
	if err == nil {
		_, err = b.in.Write(append(text, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return b.failed
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		}
		return nil
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("%s: no answer in 2 minutes", method)
	}
}

// window is one window of the browser.
type window struct {
	t       *testing.T
	b       *browser
	session string

	mu         sync.Mutex
	complaints []string // of the browser about the page
}

// open opens a page in a window of its own.
func open(t *testing.T, url string) *window {
	t.Helper()
	b := theBrowser(t)
	var own struct {
		ID string `json:"browserContextId"`
	}
	if err := b.call("", "Target.createBrowserContext", map[string]any{"disposeOnDetach": false}, &own); err != nil {
		t.Fatal(err)
	}
	var target struct {
		ID string `json:"targetId"`
	}
	if err := b.call("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": own.ID, "newWindow": true}, &target); err != nil {
		t.Fatal(err)
	}
	w := &window{t: t, b: b}
	var attached struct {
		ID string `json:"sessionId"`
	}
	if err := b.call("", "Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &attached); err != nil {
		t.Fatal(err)
	}
	w.session = attached.ID
	b.mu.Lock()
	b.windows[w.session] = w
	b.mu.Unlock()
	t.Cleanup(func() { w.close(own.ID) })
	for _, domain := range []string{"Runtime", "Log", "Page"} {
		w.call(domain+".enable", map[string]any{}, nil)
	}
	w.call("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil)
	w.call("Page.navigate", map[string]any{"url": url}, nil)
	w.wait("the page has started", `document.readyState === "complete" && document.getElementById("nav") && document.getElementById("nav").children.length > 0`)
	return w
}

func (w *window) close(own string) {
	if w.t.Failed() {
		w.t.Logf("the page is at %v and shows:\n%v", w.eval(`location.href`), w.eval(`document.body.innerText`))
	}
	w.b.mu.Lock()
	delete(w.b.windows, w.session)
	w.b.mu.Unlock()
	w.mu.Lock()
	for _, c := range w.complaints {
		w.t.Errorf("the browser complains: %s", c)
	}
	w.mu.Unlock()
	_ = w.b.call("", "Target.disposeBrowserContext", map[string]any{"browserContextId": own}, nil)
}

// happened notes what a browser says against a page: exceptions, errors on the console,
// what the page's policy forbids. That a request failed is not one of them.
func (w *window) happened(m reply) {
	bad := m.Method == "Runtime.exceptionThrown" || m.Method == "Runtime.consoleAPICalled" && strings.Contains(string(m.Params), `"type":"error"`) ||
		m.Method == "Log.entryAdded" && !strings.Contains(string(m.Params), `"source":"network"`) && !strings.Contains(string(m.Params), `"level":"verbose"`)
	if bad {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.complaints = append(w.complaints, fmt.Sprintf("%.2000s", m.Params))
	}
}

func (w *window) call(method string, params, result any) {
	w.t.Helper()
	if err := w.b.call(w.session, method, params, result); err != nil {
		w.t.Fatal(err)
	}
}

// eval returns the value of an expression in the page; a promise is waited for.
func (w *window) eval(script string) any {
	w.t.Helper()
	var answer struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	w.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &answer)
	if answer.Exception != nil {
		w.t.Fatalf("%s: %s %s", script, answer.Exception.Text, answer.Exception.Exception.Description)
	}
	return answer.Result.Value
}

// wait waits until an expression is true in the page.
func (w *window) wait(what, condition string) {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); w.eval("Boolean("+condition+")") != true; {
		if time.Now().After(end) {
			w.t.Fatalf("after 2 minutes still not: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// reads waits until the text of the page, or of a part of it, holds each of some texts.
func (w *window) reads(selector string, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		w.wait(selector+" reads "+text, fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.innerText.replace(/\s+/g, " ").includes(%q))`, selector, text))
	}
}

// at waits until the address ends in a text.
func (w *window) at(hash string) {
	w.t.Helper()
	w.wait("the address ends in "+hash, fmt.Sprintf(`decodeURIComponent(location.href).endsWith(%q)`, hash))
}

// click presses the button, link or box in which a text stands, or that has it as its
// label, with the mouse's event.
func (w *window) click(selector, text string) {
	w.t.Helper()
	found := fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e => (e.innerText.trim() + " " + (e.getAttribute("aria-label") || "")).includes(%q) && !e.disabled)`, selector, text)
	w.wait("there is a "+selector+" "+text, found)
	w.eval(found + `.click()`)
}

// reload loads the page again, and returns when the old one has gone.
func (w *window) reload() {
	w.t.Helper()
	w.eval(`window.old = true`)
	w.call("Page.reload", map[string]any{}, nil)
	w.wait("the page is loaded again", `!window.old && document.readyState === "complete"`)
}

// types puts a text into a field.
func (w *window) types(selector, text string) {
	w.t.Helper()
	w.wait("there is a "+selector, fmt.Sprintf(`document.querySelector(%q)`, selector))
	w.eval(fmt.Sprintf(`document.querySelector(%q).focus(); document.querySelector(%q).select && document.querySelector(%q).select()`, selector, selector, selector))
	w.call("Input.insertText", map[string]any{"text": text}, nil)
}

// press presses a key.
func (w *window) press(key string) {
	w.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
	text := map[string]string{"Enter": "\r", " ": " "}[key]
	w.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "windowsVirtualKeyCode": codes[key], "text": text}, nil)
	w.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "windowsVirtualKeyCode": codes[key]}, nil)
}
