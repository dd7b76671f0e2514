package http_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairfactor"
)

// TestClientBeforeItSends: a call that was never sent is not one whose outcome is
// unknown, and the message says what to do.
func TestClientBeforeItSends(t *testing.T) {
	unreached := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the call was sent") })
	private := httptest.NewUnstartedServer(unreached)
	private.Config.ErrorLog = log.New(io.Discard, "", 0)
	private.StartTLS()
	t.Cleanup(private.Close)
	plain := httptest.NewServer(unreached)
	t.Cleanup(plain.Close)
	for url, want := range map[string]string{
		private.URL: "SSL_CERT_FILE", strings.Replace(plain.URL, "http:", "https:", 1): "begin the URL with http://",
	} {
		_, err := connect(t, url).Submit(t.Context(), "alice", []fairfactor.Submission{{Number: "15"}}, nil)
		if errors.Is(err, fairfactor.ErrUnanswered) || fairfactor.CodeOf(err) != fairfactor.Unavailable || !strings.Contains(fairfactor.MessageOf(err), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}
