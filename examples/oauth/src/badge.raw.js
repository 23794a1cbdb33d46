/**
 * Runs in the reader's browser and adds the state of an issue after every link to it.
 * The file is imported as text (`.raw.js`), so it is not bundled.
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
                // On failure, the page shows no state.
            });
    });
})();
