"""What the pages share: the only package of ganlib that imports streamlit.

``pick_…`` are widgets and return what the user chose; ``draw_…`` put something on the page; the rest answers.

chrome            header, device, empty states, errors         catalog           cached runs, models, images, records
controls          run, data, classes, seeds                    options           a widget per option of a model
samples           grids, stages, their downloads and links     interpolation     ends and path, film strip, animation
cards             a run at a glance                            markup            HTML of images, as strings
curves            runs, scalars, axis, style, diagnosis        sources           logs of runs, of the server, uploads
training_samples  samples of snapshots                         differences       recipes side by side
score_controls    metric, protocol, cost                       scores            which records compare
score_table       ranking, unranked runs, published values     downloads         tables, scalars, reports as files
links             what a link asks for, checked and built      report            a page that is also an HTML file
jobs              work of minutes in a process                  evaluation        the form that measures runs
two_sample_sides  runs, data sets, uploads to compare           two_sample_form   starts a comparison, follows it
two_sample        a stored comparison, drawn                    two_sample_results  those that are stored
attention         where a position of an image looked           inspection        one image looked at closely
guessing          a test of real and generated images
experiments       results, and what they lead to       experiment_cards  all of them
experiment_matrix images by seed and option
experiment_view   one of them                          experiment_parts  its figures, tables, sentences
presentation      prepared views, one after the other           navigation        the pages
balancing_data    the data set to balance, its generators      balancing_form    starts a comparison of methods
balancing         a stored one, drawn                           balancing_results  those that are stored
growth            images in stages: progress, stop, go on       scripts           JavaScript, once
garbage           collections that stay short                   serving           a session's turn at the device
model_cache       models in memory, bounded in bytes            shared_cache      what all sessions read alike
picture_source    a picture to edit, wherever it is from       example_pictures  those of a run's last sheet
"""
