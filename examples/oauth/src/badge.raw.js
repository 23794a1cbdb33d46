/**
 * Runs in the reader's browser: writes the state of an issue behind every link to it.
 * The file is imported as text (`.raw.js`), so it is sent as it stands here, not bundled.
 */
(function () {
    var endpoint = '__ENDPOINT__';
    var links = document.querySelectorAll('a[href^="https://tracker.example.com/issues/"]');

    links.forEach(function (link) {
        var id = link.href.split('/').pop();
        fetch(endpoint + '/issues/' + encodeURIComponent(id))
            .then(function (response) {
                return response.ok ? response.json() : Promise.reject(response.status);
            })
            .then(function (issue) {
                link.append(' · ' + issue.state);
            })
            .catch(function () {
                // A page without the state is better than a page with an error.
            });
    });
})();
